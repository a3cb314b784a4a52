// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// Metadata as header fields and back. Source: gRPC over HTTP/2, *Custom-Metadata*.
package enum MetadataEncoding {
    /// Appends what a user may send; gRPC's own and the connection's names are left out.
    ///
    /// - Throws: INTERNAL for a name or value that HTTP/2 cannot carry: one field must not end a connection.
    package static func write(_ metadata: Metadata, to sink: inout some FieldSink) throws(RPCError) {
        for entry in metadata.entries {
            let unique = uniqueName(entry.key)
            if unique == nil {
                if isReserved(entry.key) { continue }
                guard isLegalName(entry.key) else { throw illegal("name", entry.key) }
            }
            switch entry.value {
            case .ascii(var text):
                let isLegal = text.withUTF8 { bytes in
                    let value = trim(UnsafeRawBufferPointer(bytes))
                    guard isLegalValue(value) else { return false }
                    add(entry.key, unique, value, to: &sink)
                    return true
                }
                guard isLegal else { throw illegal("value of", entry.key) }
            case .binary(let bytes):
                guard entry.key.hasSuffix("-bin") else { throw illegal("binary value without -bin in", entry.key) }
                add(entry.key, unique, Base64.encode(bytes), to: &sink)
            }
        }
    }

    private static func add(
        _ key: String, _ unique: StaticString?, _ value: some Collection<UInt8>, to sink: inout some FieldSink
    ) {
        if let unique { sink.add(unique: unique, value) } else { sink.add(name: key.utf8, value: value) }
    }

    // Names whose values differ from call to call: a peer's table that keeps them loses what it could use again, and is
    // searched for longer with each of them.
    private static func uniqueName(_ key: String) -> StaticString? {
        switch key {
        case "traceparent": "traceparent"
        case "grpc-trace-bin": "grpc-trace-bin"
        default: nil
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
        case "grpc-retry-pushback-ms", "grpc-previous-rpc-attempts": return false
        case "content-type", "te", "user-agent", "host", "connection", "keep-alive", "proxy-connection",
            "transfer-encoding", "upgrade":
            return true
        default: return key.hasPrefix(":") || key.hasPrefix("grpc-")
        }
    }

    private static func isLegalName(_ key: String) -> Bool {
        var key = key
        return key.withUTF8 { bytes in
            !bytes.isEmpty
                && bytes.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                        true
                    default: false
                    }
                }
        }
    }

    private static func isLegalValue(_ value: UnsafeRawBufferPointer) -> Bool {
        value.allSatisfy { $0 >= 0x20 && $0 <= 0x7e }
    }

    // HTTP drops white space at the ends of a value; so does gRPC.
    private static func trim(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var rest = bytes[...]
        while rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
        while rest.last == UInt8(ascii: " ") { rest = rest.dropLast() }
        return UnsafeRawBufferPointer(rebasing: rest)
    }
}
