// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusDiscovery

struct DNSQueryTests {
    private let question = DNSQuestion.services("_grpc._tcp.users")

    private func query(servers: Int = 2, attempts: Int = 2) -> DNSQuery {
        DNSQuery(question, servers: servers, attempts: attempts, id: 1)
    }

    private func answer(_ id: UInt16, code: UInt16 = 0, truncated: Bool = false) -> [UInt8] {
        AnswerBytes(question, id: id, code: code, truncated: truncated).service("a", 80).bytes
    }

    private let found = DNSQuery.Step.answered([
        .service(ServiceRecord(priority: 0, weight: 0, port: 80, host: "a"))
    ])

    @Test func `servers are asked in their order, each as often as there are attempts`() {
        var query = query()
        #expect(query.first == .ask(.init(server: 0, id: 1)))
        #expect(query.failed("late", nextID: 2) == .ask(.init(server: 1, id: 2)))
        #expect(query.failed("late", nextID: 3) == .ask(.init(server: 0, id: 3)))
        #expect(query.failed("late", nextID: 4) == .ask(.init(server: 1, id: 4)))
        #expect(query.failed("refused", nextID: 5) == .failed("refused"))
        #expect(self.query(servers: 0).first == .failed("there is no name server"))
    }

    @Test func `only an answer to the last message counts`() {
        var query = query()
        #expect(query.received(answer(2), nextID: 9) == nil)
        #expect(query.received([1, 2, 3], nextID: 9) == nil)
        #expect(query.received(query.message, nextID: 9) == nil)
        let other = AnswerBytes(.texts("_grpc._tcp.users"), id: 1).bytes
        #expect(query.received(other, nextID: 9) == nil)
        #expect(query.received(AnswerBytes(nil, id: 1).service("evil", 1).bytes, nextID: 9) == nil)
        #expect(query.received(answer(1), nextID: 9) == found)
    }

    @Test func `an answer in other letters counts`() {
        var query = query()
        var bytes = answer(1)
        bytes[13] = UInt8(ascii: "_")
        bytes[14] = UInt8(ascii: "G")
        #expect(query.received(bytes, nextID: 9) == found)
    }

    @Test func `a name that does not exist has no records`() {
        var query = query()
        #expect(query.received(AnswerBytes(question, id: 1, code: 3).bytes, nextID: 9) == .answered([]))
    }

    @Test func `a cut answer is asked for again over TCP, once`() {
        var query = query()
        let again = DNSQuery.Try(server: 0, id: 2, usesTCP: true)
        #expect(query.received(answer(1, truncated: true), nextID: 2) == .ask(again))
        #expect(query.received(answer(2, truncated: true), nextID: 3) == .ask(.init(server: 1, id: 3)))
        #expect(query.received(answer(3), nextID: 4) == found)
    }

    @Test(arguments: [1, 4] as [UInt16])
    func `a server that cannot read the options is asked without them`(code: UInt16) {
        var query = query()
        #expect(query.message.count == question.message(id: 1, usesEDNS: false).count + 11)
        let again = DNSQuery.Try(server: 0, id: 2, usesEDNS: false)
        #expect(query.received(AnswerBytes(nil, id: 1, code: code).bytes, nextID: 2) == .ask(again))
        #expect(query.message == question.message(id: 2, usesEDNS: false))
        let step = query.received(AnswerBytes(question, id: 2, code: code).bytes, nextID: 3)
        #expect(step == .ask(.init(server: 1, id: 3)))
    }

    @Test(arguments: [(2, "SERVFAIL"), (9, "code 9")] as [(UInt16, String)])
    func `a server that says no is left for the next one, and named`(code: UInt16, name: String) {
        var query = query(servers: 2, attempts: 1)
        #expect(query.received(answer(1, code: code), nextID: 2) == .ask(.init(server: 1, id: 2)))
        #expect(query.received(answer(2, code: code), nextID: 3) == .failed("the server says \(name)"))
    }

    @Test func `servers that all refuse are told from those that fail`() {
        var query = query(servers: 2, attempts: 1)
        #expect(query.received(answer(1, code: 5), nextID: 2) == .ask(.init(server: 1, id: 2)))
        #expect(query.triesLeft == 1)
        #expect(query.received(answer(2, code: 5), nextID: 3) == .refused("the server says REFUSED"))
        query = self.query(servers: 2, attempts: 1)
        _ = query.failed("late", nextID: 2)
        #expect(query.received(answer(2, code: 5), nextID: 3) == .failed("the server says REFUSED"))
    }

    @Test func `every course ends, whatever comes`() {
        let random = SplitMixRandom(seed: 3)
        for _ in 0..<500 {
            var query = query(servers: 3, attempts: 5)
            var (step, asked) = (query.first, 0)
            while case .ask(let attempt) = step {
                asked += 1
                let bytes = answer(attempt.id, code: UInt16(1 + random.index(below: 2)), truncated: true)
                let cut = answer(attempt.id, truncated: true)
                switch random.index(below: 3) {
                case 0: step = query.failed("late", nextID: UInt16(asked))
                case 1: step = query.received(bytes, nextID: UInt16(asked)) ?? .failed("ignored")
                default: step = query.received(cut, nextID: UInt16(asked)) ?? .failed("ignored")
                }
            }
            #expect((15...45).contains(asked))
            #expect(step != .failed("ignored"))
        }
    }
}
