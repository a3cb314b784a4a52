// SPDX-License-Identifier: Apache-2.0

/// One thing that reads bytes from outside: it may refuse them, and must do nothing worse.
struct FuzzTarget: Sendable {
    /// The name of its corpus, too.
    let name: String
    /// - Throws: ``FuzzFailure`` when a rule was broken that no crash would tell.
    let run: @Sendable (UnsafeRawBufferPointer) throws -> Void

    static let all: [FuzzTarget] = [
        FuzzTarget(name: "server-session", run: fuzzServerSession),
        FuzzTarget(name: "client-session", run: fuzzClientSession),
        FuzzTarget(name: "deframer", run: fuzzDeframer),
        FuzzTarget(name: "compression", run: fuzzCompression),
        FuzzTarget(name: "fields", run: fuzzFields),
        FuzzTarget(name: "texts", run: fuzzTexts),
        FuzzTarget(name: "proxy-response", run: fuzzProxyResponse),
        FuzzTarget(name: "proxy-header", run: fuzzProxyHeader),
        FuzzTarget(name: "foreign-body", run: fuzzForeignBody),
        FuzzTarget(name: "protobuf", run: fuzzProtobuf),
    ]
}

/// A rule that was broken.
struct FuzzFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Fails unless `condition` holds.
func require(_ condition: Bool, _ rule: @autoclosure () -> String) throws {
    if !condition { throw FuzzFailure(rule()) }
}

/// Bytes that are taken from the front, for the choices a target makes before it reads the rest.
struct FuzzInput {
    private(set) var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    mutating func byte() -> UInt8 {
        guard let byte = rest.first else { return 0 }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
        return byte
    }

    /// Up to `count` bytes.
    mutating func take(_ count: Int) -> UnsafeRawBufferPointer {
        defer { rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count)) }
        return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    }

    /// All that is left, in pieces of `size` bytes.
    func pieces(of size: Int) -> [UnsafeRawBufferPointer] {
        var copy = self
        var pieces: [UnsafeRawBufferPointer] = []
        while !copy.rest.isEmpty { pieces.append(copy.take(size)) }
        return pieces
    }
}
