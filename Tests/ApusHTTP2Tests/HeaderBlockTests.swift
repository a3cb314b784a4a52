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

    @Test func `prepared fields arrive as their block would, alone, between others, and when that is gone`() throws {
        func prepared() -> PreparedFields {
            var block = HeaderBlock()
            block.add("te", "trailers")
            block.add("x-a", "1".utf8)
            block.add(name: "x-b".utf8, value: "".utf8)
            return PreparedFields(block)
        }
        let (head, some) = (PreparedFields(SessionPair.requestFields), prepared())
        var alone = HeaderBlock()
        alone.add(head)
        var between = HeaderBlock()
        between.add(head)
        between.add("x-first", "0".utf8)
        between.add(some)
        between.add(unique: "x-last", "2".utf8)
        #expect(between.count == 9 && between.listSize == alone.listSize + (8 + 10 + 4 + 3 + 7) + 5 * 32)
        let pair = try SessionPair()
        for block in [alone, between] {
            let stream = RecordedStream()
            stream.ends = true
            try pair.client.session.submitRequest(block, stream: stream)
        }
        try pair.exchange()
        let text = "fields :method=POST :scheme=http :path=/a :authority=test"
        #expect(
            pair.server.streams.map { $0.events.first ?? "" } == [
                text, "\(text) x-first=0 te=trailers x-a=1 x-b= x-last=2",
            ])
        withExtendedLifetime((head, some)) {}
    }

    @Test func `a value that differs every time leaves the others in the peer's table`() throws {
        let pair = try SessionPair()
        var sizes: [Int] = []
        for index in 0..<90 {
            var fields = SessionPair.requestFields
            fields.add("x-stays", [UInt8](repeating: UInt8(ascii: "y"), count: 500))
            fields.add(unique: "x-changes", "\(1_000_000_000 + index)".utf8)
            let stream = RecordedStream()
            stream.ends = true
            try pair.client.session.submitRequest(fields, stream: stream)
            let bytes = try pair.client.drain()
            sizes.append(bytes.count)
            try pair.server.receive(bytes)
        }
        // The table has room for 4 KiB: 90 values of the other field would have driven everything out of it.
        #expect(sizes.dropFirst().max() ?? 0 < 60)
        #expect(pair.server.streams.last?.events.first?.hasSuffix("x-changes=1000000089") == true)
    }

    @Test func `a block that is used twice`() throws {
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
