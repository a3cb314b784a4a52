// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// The header blocks that a server sends.
package enum ResponseFields {
    /// The fields that end a call: in trailers, or, with a head before them, as Trailers-Only.
    ///
    /// Metadata that HTTP/2 cannot carry turns the status into INTERNAL: the call must end.
    ///
    /// - Parameter compressors: what the request could have been compressed with.
    package static func writeStatus<Sink: FieldSink>(
        _ status: Status, _ metadata: Metadata, compressors: Compressors, to sink: inout Sink
    ) {
        guard !metadata.isEmpty else { return writeStatus(status, compressors, to: &sink) }
        var fields = sink
        do throws(RPCError) {
            try MetadataEncoding.write(metadata, to: &fields)
            writeStatus(status, compressors, to: &fields)
            sink = fields
        } catch {
            writeStatus(error.status, compressors, to: &sink)
        }
    }

    private static func writeStatus(_ status: Status, _ compressors: Compressors, to sink: inout some FieldSink) {
        guard !status.isOK else { return sink.add("grpc-status", "0") }
        sink.add("grpc-status", String(status.code.rawValue).utf8)
        if !status.message.isEmpty { sink.add("grpc-message", StatusMessageEncoding.encode(status.message)) }
        if !status.details.isEmpty { sink.add("grpc-status-details-bin", Base64.encode(status.details)) }
        // What we could have read; a client that sent something else learns it here.
        if status.code == .unimplemented { sink.add("grpc-accept-encoding", compressors.accepted) }
    }
}
