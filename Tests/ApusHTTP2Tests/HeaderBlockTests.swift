// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2
import Testing

@Suite struct HeaderBlockTests {
    @Test func `literals and stored texts arrive as they were added`() throws {
        let pair = try SessionPair()
        var fields = SessionPair.requestFields
        fields.add("te", "trailers")
        fields.add("x-literal", "stored".utf8)
        fields.add(name: "x-stored".utf8, value: "".utf8)
        fields.add(name: "x-long".utf8, value: [UInt8](repeating: UInt8(ascii: "y"), count: 5000))
        #expect(fields.count == 8)
        let stream = RecordedStream()
        stream.ends = true
        try pair.client.session.submitRequest(fields, stream: stream)
        try pair.exchange()
        let long = String(repeating: "y", count: 5000)
        #expect(
            pair.server.streams.first?.events.first
                == "fields :method=POST :scheme=http :path=/a :authority=test te=trailers x-literal=stored x-stored= x-long=\(long)"
        )
    }

    @Test func `a block that is used twice is sent twice`() throws {
        let pair = try SessionPair()
        let fields = SessionPair.requestFields
        for _ in 0..<2 {
            let stream = RecordedStream()
            stream.ends = true
            try pair.client.session.submitRequest(fields, stream: stream)
        }
        try pair.exchange()
        #expect(pair.server.streams.count == 2)
        #expect(pair.server.streams[0].events[0] == pair.server.streams[1].events[0])
    }
}
