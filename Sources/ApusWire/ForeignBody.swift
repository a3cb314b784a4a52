// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// The start of the body of an answer that is not gRPC, which often says why: a proxy's page, a login form.
/// Source: gRPC over HTTP/2, *Responses*.
package struct ForeignBody {
    /// Bytes of the body that are shown.
    package static let limit = 256

    private let status: Status
    private var bytes: [UInt8] = []

    /// - Parameter status: what the head alone says.
    package init(_ status: Status) { self.status = status }

    /// Takes a piece of the body.
    ///
    /// - Returns: whether that is enough.
    package mutating func receive(_ piece: UnsafeRawBufferPointer) -> Bool {
        bytes.append(contentsOf: piece.prefix(Self.limit - bytes.count))
        return bytes.count == Self.limit
    }

    /// The head's status, with what there is of the body in its message, on one line.
    package var described: Status {
        guard !bytes.isEmpty else { return status }
        var status = status
        status.message += ", body \(Self.printable(bytes).debugDescription)"
        return status
    }

    // Other people's bytes end up in logs: neither controls nor half characters.
    private static func printable(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: " "
            default: scalar
            }
        }
        var line = String.UnicodeScalarView()
        line.append(contentsOf: scalars)
        return String(line)
    }
}
