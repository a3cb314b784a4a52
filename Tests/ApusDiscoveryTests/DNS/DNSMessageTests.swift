// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusDiscovery

struct DNSMessageTests {
    private let question = DNSQuestion.services("_grpc._tcp.Users")

    @Test func `a question asks for recursion, and for answers of 1232 bytes`() {
        let name = [5] + Array("_grpc".utf8) + [4] + Array("_tcp".utf8) + [5] + Array("users".utf8) + [0]
        let plain: [UInt8] = [0xAB, 0xCD, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + name + [0, 33, 0, 1]
        #expect(question.message(id: 0xABCD, usesEDNS: false) == plain)
        var extended = plain
        extended[11] = 1
        #expect(question.message(id: 0xABCD, usesEDNS: true) == extended + [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0])
    }

    @Test func `the records of an answer are read, and those of other types are passed over`() throws {
        let bytes = AnswerBytes(question, id: 7).service("a.example", 80, priority: 1, weight: 2)
            .with(1, [10, 0, 0, 1]).text("x", "yz").with(33, [0, 0, 0, 0, 0, 0, 0]).bytes
        let message = try DNSMessage(reading: bytes)
        #expect(message.id == 7 && message.isAnswer && !message.isTruncated && message.code == 0)
        #expect(message.question == question)
        #expect(
            message.records.map(\.content) == [
                .service(ServiceRecord(priority: 1, weight: 2, port: 80, host: "a.example")), .text(Array("xyz".utf8)),
                .service(ServiceRecord(priority: 0, weight: 0, port: 0, host: nil)),
            ])
        #expect(message.answers(to: question).count == 2)
    }

    @Test func `an answer may stand under another name that the name stands for`() throws {
        let other = try #require(DomainName("other.example"))
        let bytes = AnswerBytes(question, id: 1).with(5, other.bytes).with(16, [1, 0x61], name: other.bytes)
            .with(33, AnswerBytes.numbers(1, 2, 3) + [0], name: other.bytes).bytes
        #expect(
            try DNSMessage(reading: bytes).answers(to: question) == [
                .service(ServiceRecord(priority: 1, weight: 2, port: 3, host: nil))
            ])
    }

    @Test func `names that stand for one another answer nothing`() throws {
        let other = try #require(DomainName("other.example"))
        let bytes = AnswerBytes(question, id: 1).with(5, other.bytes).with(5, question.name.bytes, name: other.bytes)
            .bytes
        #expect(try DNSMessage(reading: bytes).answers(to: question).isEmpty)
    }

    @Test func `a cut answer is read as far as it goes`() throws {
        let whole = AnswerBytes(question, id: 1, truncated: true).service("a", 1).service("b", 2).bytes
        let message = try DNSMessage(reading: Array(whole.dropLast(4)))
        #expect(message.isTruncated)
        #expect(message.records.count == 1)
        let unmarked = AnswerBytes(question, id: 1).service("a", 1).service("b", 2).bytes
        #expect(throws: DNSFormatError.self) { try DNSMessage(reading: Array(unmarked.dropLast(4))) }
    }

    @Test(
        arguments: [
            // A pointer at itself, one forwards, two at each other, and a label of a type that is none.
            [0xC0, 12], [0xC0, 40], [1, 0x61, 0xC0, 14, 0xC0, 12], [0x80, 1], [0x40, 1], [5, 0x61],
            [0xC0],
        ] as [[UInt8]])
    func `a name without an end is refused`(name: [UInt8]) {
        #expect(throws: DNSFormatError.self) {
            try DNSMessage(reading: AnswerBytes.numbers(1, 0x8000, 1, 0, 0, 0) + name)
        }
    }

    @Test func `a chain of pointers and a name of more than 255 bytes are refused`() {
        // In the data of a record that nobody reads each pointer names the one before it.
        func answer(pointers: Int) -> [UInt8] {
            let start = AnswerBytes(question, id: 1).bytes.count + 12
            var chain: [UInt8] = [0]
            var last = start
            for _ in 0..<pointers {
                let place = start + chain.count
                chain += [0xC0 | UInt8(last >> 8), UInt8(last & 0xFF)]
                last = place
            }
            return AnswerBytes(question, id: 1).with(99, chain)
                .with(16, [1, 0x61], name: [0xC0 | UInt8(last >> 8), UInt8(last & 0xFF)]).bytes
        }
        #expect((try? DNSMessage(reading: answer(pointers: 20)))?.records.map(\.name.isRoot) == [true])
        #expect(throws: DNSFormatError.self) { try DNSMessage(reading: answer(pointers: 40)) }
        let label = [63] + [UInt8](repeating: 0x61, count: 63)
        let long = label + label + label + label + [0]
        #expect(throws: DNSFormatError.self) {
            try DNSMessage(reading: AnswerBytes.numbers(1, 0x8000, 1, 0, 0, 0) + long + [0, 16, 0, 1])
        }
    }

    @Test(arguments: ["", ".", "a..b", "a.", ".a", String(repeating: "a", count: 64), "A.b"])
    func `names are checked and know no case`(text: String) {
        let name = DomainName(text)
        let isName = ["a.", "A.b"].contains(text)
        #expect((name != nil) == isName)
        #expect(name?.host == (isName ? (text == "a." ? "a" : "a.b") : nil))
    }

    @Test func `a label with a dot in it is no host's name`() {
        #expect(DomainName(labels: [Array("a.b".utf8)])?.host == nil)
        #expect(DomainName(labels: [Array("a/b".utf8)])?.host == nil)
        #expect(DomainName(labels: [[0xFF]])?.host == nil)
    }

    @Test func `ten thousand spoiled answers are refused or read, within bounds`() {
        let other = [1, 0x62] + AnswerBytes.pointer
        let good = AnswerBytes(question, id: 1).service("a.example", 80).text("abc", "def")
            .with(5, other).with(33, AnswerBytes.numbers(1, 2, 3) + AnswerBytes.pointer, name: other).bytes
        let random = SplitMixRandom(seed: 11)
        var (refused, read) = (0, 0)
        for _ in 0..<10_000 {
            var bytes = good
            for _ in 0...random.index(below: 4) {
                bytes[random.index(below: bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.index(below: 4) == 0 { bytes.removeLast(random.index(below: bytes.count)) }
            guard let message = try? DNSMessage(reading: bytes) else {
                refused += 1
                continue
            }
            read += 1
            #expect(message.records.count <= 512)
            #expect(message.records.allSatisfy { $0.name.bytes.count <= 255 })
            #expect(message.answers(to: question).count <= message.records.count)
        }
        #expect(refused > 1000 && read > 1000)
    }
}
