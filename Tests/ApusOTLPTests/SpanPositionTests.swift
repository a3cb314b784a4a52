// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTelemetry
import Testing

@testable import ApusOTLP

@Suite struct SpanPositionTests {
    private let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func `a header is read and written`() throws {
        let position = try #require(SpanPosition(header: header))
        #expect(position.isSampled)
        #expect(position.header == header)
        #expect(position.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(SpanPosition(header: header.dropLast() + "0")?.isSampled == false)
    }

    @Test func `what travels is read again, with the state, and in both forms`() throws {
        var metadata: Metadata = ["tracestate": "a=1"]
        metadata.add("tracestate", "b=2")
        metadata["traceparent"] = header
        let position = try #require(SpanPosition(metadata))
        #expect(position.state == "a=1,b=2")
        var sent = Metadata()
        position.inject(into: &sent)
        #expect(SpanPosition(sent) == position)
        sent.remove("traceparent")
        #expect(SpanPosition(sent)?.header == header)
        #expect(sent[binary: "grpc-trace-bin"] == TraceParent(header)?.binary)
    }

    @Test(arguments: [
        "", "00-", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
    ]) func `it takes what the texts' reader takes`(_ header: String) {
        #expect((SpanPosition(header: header) == nil) == (TraceParent(header) == nil))
    }
}
