// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Why bytes are no such message, and where.
struct Malformed: Error {
    enum Reason: String {
        case truncated = "the bytes end in the middle of a field"
        case tag = "a field tag is malformed or has a number outside 1...536870911"
        case wireType = "a field has a wire type that does not exist"
        case varint = "a number takes more than ten bytes"
        case overrun = "a length goes past the end of its message"
        case packed = "a packed run does not divide into its elements"
        case utf8 = "a string is not UTF-8"
        case group = "a group does not end where it should"
        case memory = "the message takes too much memory"
        case depth = "messages are nested too deep"
        case required = "a required field is missing"
    }

    let reason: Reason
    /// Bytes from the beginning of the outermost message.
    let offset: Int
    /// The numbers of the fields around the place, the innermost first.
    var path: [UInt32] = []

    func inside(_ number: UInt32) -> Malformed {
        var copy = self
        copy.path.append(number)
        return copy
    }

    func error(in schema: MessageSchema, _ count: Int, budget: Int) -> RPCError {
        guard reason != .memory else {
            return RPCError(
                .resourceExhausted, "a \(schema) of \(count) bytes needs more than \(budget) bytes of memory")
        }
        return RPCError(.internal, "malformed \(place(in: schema)): \(reason.rawValue), at byte \(offset)")
    }

    // Of a deep path the beginning is enough.
    private static let shownLevels = 8

    private func place(in schema: MessageSchema) -> String {
        var place = schema.name
        var current: MessageSchema? = schema
        for (level, number) in path.reversed().enumerated() {
            guard level < Self.shownLevels else { return place + "…" }
            let field = current?.field(number)
            place += "." + (field?.name ?? "\(number)")
            current = field.flatMap { current?.schema(of: $0) }
        }
        return place
    }
}
