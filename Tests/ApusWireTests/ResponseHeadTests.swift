// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

@Suite struct ResponseHeadTests {
    private static let goodHead: Fields = [":status": "200", "content-type": "application/grpc", "x-h": "1"]

    /// What the blocks mean, one after the other; the last may end the stream.
    private func read(_ blocks: [Fields], endStream: Bool = true, limit: Int = 16 << 10) -> [String] {
        var head = ResponseHead(limit: limit)
        return blocks.enumerated().map { index, block in
            for field in block.all {
                field.name.onWire { name in
                    field.value.onWire { head.receive(name: name, value: $0, compressors: .standard) }
                }
            }
            return describe(head.receiveEnd(endStream: endStream && index == blocks.count - 1))
        }
    }

    private func describe(_ block: ResponseHead.Block) -> String {
        switch block {
        case .informational: "informational"
        case .head(let metadata): "head \(metadata)"
        case .end(let status, let trailers): "end \(status) \(trailers)"
        case .broken(let status): "broken \(status)"
        case .foreign(let status): "foreign \(status)"
        case .abusive: "abusive"
        }
    }

    @Test func `a head and trailers make an answer`() {
        let trailers: Fields = ["grpc-status": "0", "x-t": "2"]
        #expect(read([Self.goodHead, trailers]) == ["head [x-h: 1]", "end OK [x-t: 2]"])
    }

    @Test(arguments: [
        ("0", "OK"), ("5", "NOT_FOUND: why"), ("16", "UNAUTHENTICATED: why"), ("17", "UNKNOWN: why"),
        ("-1", "UNKNOWN: why"), ("", "UNKNOWN: why"), ("five", "UNKNOWN: why"),
        ("99999999999999999999", "UNKNOWN: why"),
    ])
    func `a status that is no code is UNKNOWN`(_ code: String, _ status: String) {
        let message = code == "0" ? "" : "why"
        #expect(read([Self.goodHead, ["grpc-status": code, "grpc-message": message]])[1] == "end \(status) []")
    }

    @Test(arguments: ["200", "503", "404", "999"])
    func `grpc-status wins whatever the HTTP status and content-type say`(_ http: String) {
        let block: Fields = [":status": http, "content-type": "text/html", "grpc-status": "3", "grpc-message": "a%20b"]
        #expect(read([block]) == ["end INVALID_ARGUMENT: a b []"])
    }

    @Test(arguments: [
        ("400", "INTERNAL"), ("401", "UNAUTHENTICATED"), ("403", "PERMISSION_DENIED"), ("404", "UNIMPLEMENTED"),
        ("429", "UNAVAILABLE"), ("502", "UNAVAILABLE"), ("503", "UNAVAILABLE"), ("504", "UNAVAILABLE"),
        ("431", "INTERNAL"), ("500", "UNKNOWN"), ("302", "UNKNOWN"),
    ])
    func `without grpc-status the HTTP status decides`(_ http: String, _ code: String) {
        let block: Fields = [":status": http, "content-type": "text/html"]
        let text = "\(code): not a gRPC response: HTTP status \(http), content-type \"text/html\""
        #expect(read([block]) == ["end \(text) []"])
        #expect(read([block], endStream: false) == ["foreign \(text)"])
    }

    @Test func `a status in the trailers of an answer that is not gRPC wins, but for OK`() {
        let page: Fields = [":status": "503", "content-type": "text/html"]
        #expect(read([page, ["grpc-status": "8", "grpc-message": "full"]])[1] == "end RESOURCE_EXHAUSTED: full []")
        let own = "end UNAVAILABLE: not a gRPC response: HTTP status 503, content-type \"text/html\" [x: y]"
        #expect(read([page, ["grpc-status": "0", "x": "y"]])[1] == own)
        #expect(read([page, ["x": "y"]])[1] == own)
    }

    @Test func `a stream of 200 that says nothing more is UNKNOWN, never OK`() {
        #expect(read([[":status": "200"]]) == ["end UNKNOWN: not a gRPC response: HTTP status 200 []"])
        #expect(read([Self.goodHead, ["x-t": "2"]])[1] == "end UNKNOWN: the stream ended without grpc-status [x-t: 2]")
    }

    @Test func `Trailers-Only is one block, with its metadata as trailers`() {
        var block = Self.goodHead
        block.all +=
            ([
                "grpc-status": "9", "grpc-message": "no", "grpc-status-details-bin": "AQID", "x-bin": "AQ,Ag",
            ] as Fields).all
        #expect(read([block]) == ["end FAILED_PRECONDITION: no [x-h: 1, x-bin: 1 bytes, x-bin: 1 bytes]"])
    }

    @Test func `informational blocks are skipped, all that they say included`() {
        let hint: Fields = [":status": "103", "grpc-status": "5", "content-type": "text/html", "x-link": "a"]
        let answer = read([[":status": "100"], hint, Self.goodHead, ["grpc-status": "0"]])
        #expect(answer == ["informational", "informational", "head [x-h: 1]", "end OK []"])
    }

    @Test func `sixteen informational blocks are enough`() {
        let blocks = [Fields](repeating: [":status": "100"], count: 17)
        let answer = read(blocks, endStream: false)
        #expect(answer.prefix(16).allSatisfy { $0 == "informational" })
        #expect(answer.last == "abusive")
    }

    @Test func `a head with a status ends the call even if the stream goes on`() {
        var block = Self.goodHead
        block.all.append(Fields.Field(name: "grpc-status", value: "5"))
        #expect(read([block], endStream: false) == ["end NOT_FOUND [x-h: 1]"])
    }

    @Test func `a second head is refused`() {
        let answer = read([Self.goodHead, Self.goodHead], endStream: false)
        #expect(answer[1] == "broken INTERNAL: a second header block came without END_STREAM")
    }

    @Test func `an encoding that was not offered is INTERNAL`() {
        var block = Self.goodHead
        block.all.append(Fields.Field(name: "grpc-encoding", value: "br"))
        #expect(read([block], endStream: false)[0].hasPrefix("broken INTERNAL: the server compressed with \"br\""))
        for known in ["identity", "gzip", "deflate"] {
            block.all[3].value = known
            #expect(read([block], endStream: false) == ["head [x-h: 1]"])
        }
    }

    @Test func `each block has the whole limit, and a block above it ends the call`() {
        let text = String(repeating: "x", count: 400)
        var head = Self.goodHead
        head.all.append(Fields.Field(name: "x", value: text))
        let trailers: Fields = ["grpc-status": "0", "x": text]
        #expect(read([head, trailers], limit: 700).count { $0.hasPrefix("end OK") } == 1)
        let large: Fields = ["grpc-status": "0", "x": text + text]
        let over = "RESOURCE_EXHAUSTED: the response's metadata is above the limit"
        #expect(read([Self.goodHead, large], limit: 700)[1] == "end \(over) []")
        #expect(read([large], endStream: false, limit: 700)[0] == "end \(over) []")
        #expect(read([["x": String(repeating: "x", count: 70_000)]], limit: 700) == ["abusive"])
    }
}
