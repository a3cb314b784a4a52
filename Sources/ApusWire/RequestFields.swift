// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// The header block that a client sends.
package enum RequestFields {
    /// This library and its version, as `user-agent` says it.
    package static let userAgent: StaticString = "grpc-swift-apus/0.1.0"

    /// The fields of a call in the order that gRPC asks for.
    ///
    /// - Parameters:
    ///   - scheme: `https` over TLS.
    ///   - timeout: nanoseconds that are left; nil for no deadline.
    ///   - userAgent: the user's own in front of ``userAgent``; nil for that alone.
    ///   - compression: what compresses the call's messages; nil when nothing does.
    ///   - compressors: what the response may be compressed with.
    /// - Throws: INTERNAL for metadata that HTTP/2 cannot carry.
    package static func write(
        _ method: MethodDescriptor, scheme: StaticString = "http", authority: String, timeout: Int64?,
        metadata: Metadata, userAgent: [UInt8]? = nil, compression: Compression?, compressors: Compressors,
        to sink: inout some FieldSink
    ) throws(RPCError) {
        writeTarget(method, scheme: scheme, authority: authority, to: &sink)
        if let timeout { sink.add(unique: timeoutName, TimeoutEncoding.encode(nanoseconds: timeout)) }
        writeFormat(userAgent: userAgent, compression: compression, compressors: compressors, to: &sink)
        if !metadata.isEmpty { try MetadataEncoding.write(metadata, to: &sink) }
    }

    /// What carries the time that is left.
    package static let timeoutName: StaticString = "grpc-timeout"

    /// What stands in front of a call's timeout: where it goes.
    package static func writeTarget(
        _ method: MethodDescriptor, scheme: StaticString, authority: String, to sink: inout some FieldSink
    ) {
        sink.add(":method", "POST")
        sink.add(":scheme", scheme)
        sink.add(":path", method.path.utf8)
        sink.add(":authority", authority.utf8)
        sink.add("te", "trailers")
    }

    /// What stands behind it, in front of the user's metadata: how messages are written.
    package static func writeFormat(
        userAgent: [UInt8]?, compression: Compression?, compressors: Compressors, to sink: inout some FieldSink
    ) {
        sink.add("content-type", "application/grpc")
        if let userAgent { sink.add("user-agent", userAgent) } else { sink.add("user-agent", Self.userAgent) }
        if let compression { sink.add("grpc-encoding", compression.name.utf8) }
        // A literal is never copied.
        if compressors.isStandard {
            sink.add("grpc-accept-encoding", "identity,gzip,deflate")
        } else {
            sink.add("grpc-accept-encoding", compressors.accepted)
        }
    }
}
