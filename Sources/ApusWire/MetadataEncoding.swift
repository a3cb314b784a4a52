// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// Metadata as header fields and back. Source: gRPC over HTTP/2, *Custom-Metadata*.
package enum MetadataEncoding {
    /// Appends what a user may send; gRPC's own and the connection's names are left out.
    ///
    /// - Throws: INTERNAL for a name or value that HTTP/2 cannot carry: one field must not end a connection.
    package static func write(_ metadata: Metadata, to sink: inout some FieldSink) throws(RPCError) {
        for entry in metadata.entries where !isReserved(entry.key) {
            guard isLegalName(entry.key) else { throw illegal("name", entry.key) }
            switch entry.value {
            case .ascii(let text):
                let trimmed = trim(text)
                guard isLegalValue(trimmed) else { throw illegal("value of", entry.key) }
                sink.add(name: entry.key.utf8, value: trimmed)
            case .binary(let bytes):
                guard entry.key.hasSuffix("-bin") else { throw illegal("binary value without -bin in", entry.key) }
                sink.add(name: entry.key.utf8, value: Base64.encode(bytes))
            }
        }
    }

    /// Appends a field from the wire to `metadata`; a `-bin` value that is no base64 is dropped.
    package static func read(
        name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, into metadata: inout Metadata
    ) {
        let key = name.text
        guard name.ends(with: "-bin") else { return metadata.add(key, value.text) }
        // Several values may share one field: they are split before they are decoded.
        for part in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            if let bytes = Base64.decode(trim(UnsafeRawBufferPointer(rebasing: part))) {
                metadata.add(key, binary: bytes)
            }
        }
    }

    private static func illegal(_ what: String, _ key: String) -> RPCError {
        RPCError(.internal, "illegal metadata: \(what) \(key.debugDescription)", progress: .notConnected)
    }

    private static func isReserved(_ key: String) -> Bool {
        switch key {
        case "grpc-retry-pushback-ms", "grpc-previous-rpc-attempts", "grpc-trace-bin": return false
        case "content-type", "te", "user-agent", "host", "connection", "keep-alive", "proxy-connection",
            "transfer-encoding", "upgrade":
            return true
        default: return key.hasPrefix(":") || key.hasPrefix("grpc-")
        }
    }

    private static func isLegalName(_ key: String) -> Bool {
        !key.isEmpty
            && key.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"),
                    UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    private static func isLegalValue(_ value: Substring.UTF8View) -> Bool {
        value.allSatisfy { $0 >= 0x20 && $0 <= 0x7e }
    }

    // HTTP drops white space at the ends of a value; so does gRPC.
    private static func trim(_ text: String) -> Substring.UTF8View {
        var rest = text[...].utf8
        while rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
        while rest.last == UInt8(ascii: " ") { rest = rest.dropLast() }
        return rest
    }

    private static func trim(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var rest = bytes[...]
        while rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
        while rest.last == UInt8(ascii: " ") { rest = rest.dropLast() }
        return UnsafeRawBufferPointer(rebasing: rest)
    }
}
