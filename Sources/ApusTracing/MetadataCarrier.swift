// SPDX-License-Identifier: Apache-2.0

#if Tracing
    import ApusCore
    import ApusTelemetry
    import Tracing

    /// Puts what a tracer sends along into metadata. Binary keys take base64, as gRFC A72 has it.
    struct MetadataInjector: Injector {
        func inject(_ value: String, forKey key: String, into carrier: inout Metadata) {
            let key = key.lowercased()
            guard isKey(key) else { return }
            if key.hasSuffix("-bin") {
                var text = Array(value.utf8)
                guard let bytes = text.withUnsafeMutableBytes({ Base64.decode(UnsafeRawBufferPointer($0)) }) else {
                    return
                }
                carrier[binary: key] = bytes
            } else if value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
                carrier[key] = value
            }
        }

        // One that the wire does not take would end the call.
        private func isKey(_ key: String) -> Bool {
            !key.isEmpty && !key.hasPrefix("grpc-") || key == Propagation.binaryKey
                ? key.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                    case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."): true
                    default: false
                    }
                } : false
        }
    }

    /// Reads what a tracer of the other side has sent.
    struct MetadataExtractor: Extractor {
        func extract(key: String, from carrier: Metadata) -> String? {
            if key.lowercased().hasSuffix("-bin") {
                return carrier[binary: key].map { String(decoding: Base64.encode($0), as: UTF8.self) }
            }
            // Several lines of one field are one list: RFC 9110, section 5.3; W3C Trace Context, section 3.3.1.
            let lines = carrier.values(of: key)
            return lines.count > 1 ? lines.joined(separator: ",") : lines.first
        }
    }

    /// W3C's header and gRPC's binary one, from each other: a tracer knows one of them, and peers may know the other.
    enum Propagation {
        static let textKey = "traceparent"
        static let binaryKey = "grpc-trace-bin"

        /// Adds the binary form of the header.
        ///
        /// - Returns: the trace's name, if there is one.
        static func complete(_ metadata: inout Metadata) -> String? {
            guard let parent = metadata[textKey].flatMap({ TraceParent($0) }) else { return nil }
            metadata[binary: binaryKey] = parent.binary
            return parent.traceID
        }

        /// Metadata that arrived, with the header if only the binary form came.
        static func understood(_ metadata: Metadata) -> Metadata {
            guard metadata[textKey] == nil, let bytes = metadata[binary: binaryKey],
                let parent = TraceParent(binary: bytes)
            else { return metadata }
            var metadata = metadata
            metadata[textKey] = parent.header
            return metadata
        }
    }
#endif
