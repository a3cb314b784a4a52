// SPDX-License-Identifier: Apache-2.0

/// The answer to a request that is no gRPC call: an HTTP status, and a line of text for the person behind it.
package struct HTTPRefusal: Equatable, Sendable {
    package let status: Int
    /// What a browser or curl shows; empty for HEAD.
    package let text: String
    /// Bytes of the request's body that are waited for: any HTTP client may have sent it, and those finish first.
    /// A gRPC client gets its answer at once.
    package let patience: Int

    /// The method was not POST.
    static func method(isHead: Bool) -> HTTPRefusal {
        HTTPRefusal(status: 405, text: isHead ? "" : "gRPC calls are POST requests.\n", patience: 32 * 1024)
    }

    /// The content-type is none of gRPC's, or there is none: 415, says gRPC over HTTP/2.
    static func contentType(isMissing: Bool) -> HTTPRefusal {
        HTTPRefusal(
            status: 415, text: "gRPC calls have a content-type that starts with application/grpc.\n",
            patience: isMissing ? 32 * 1024 : 0)
    }

    package func write(to sink: inout some FieldSink) {
        sink.add(":status", String(status).utf8)
        sink.add("content-type", "text/plain; charset=utf-8")
        sink.add("content-length", String(text.utf8.count).utf8)
        if status == 405 { sink.add("allow", "POST") }
    }
}
