// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Testing

@testable import ApusInterceptors

struct HedgedRequestTests {
    private func pipe(_ texts: [String], ended: Bool = true) async throws -> MessagePipe {
        let pipe = MessagePipe(highWaterMark: 1 << 20)
        for text in texts { try await pipe.write(MessageBytes(text.utf8)) }
        if ended { pipe.finish() }
        return pipe
    }

    private func texts(_ source: any MessageSource, _ count: Int = .max) async throws -> [String] {
        var all: [String] = []
        while all.count < count, let message = try await source.next() {
            all.append(String(decoding: message.bytes, as: UTF8.self))
        }
        return all
    }

    @Test func `each try gets all messages, in whatever turn they read`() async throws {
        let request = HedgedRequest(try await pipe(["a", "b", "c"]), limit: 1000)
        let first = request.reader(of: 1)
        #expect(try await texts(first, 2) == ["a", "b"])
        let second = request.reader(of: 2)
        #expect(try await texts(second) == ["a", "b", "c"])
        #expect(try await texts(first) == ["c"])
        #expect(request.canRepeat)
    }

    @Test func `when one try has won the others end and nothing is kept for them`() async throws {
        let request = HedgedRequest(try await pipe(["a", "b", "c"]), limit: 1000)
        let (winner, loser) = (request.reader(of: 1), request.reader(of: 2))
        _ = try await texts(loser, 1)
        request.commit(to: 1)
        #expect(!request.canRepeat && request.hasLost(2) && !request.hasLost(1))
        await #expect(throws: RPCError.self) { try await loser.next() }
        #expect(try await texts(winner) == ["a", "b", "c"])
    }

    @Test func `above the limit the call commits to the try that is ahead`() async throws {
        let request = HedgedRequest(try await pipe(["aaaa", "bbbb", "cccc"]), limit: 20)
        let (ahead, behind) = (request.reader(of: 1), request.reader(of: 2))
        #expect(try await texts(behind, 1) == ["aaaa"])
        #expect(try await texts(ahead, 2) == ["aaaa", "bbbb"])
        #expect(request.canRepeat)
        #expect(try await texts(ahead) == ["cccc"])
        #expect(!request.canRepeat && request.hasLost(2))
        await #expect(throws: RPCError.self) { try await behind.next() }
    }

    @Test func `a try that begins when the call has just committed to another gets nothing, and harms nothing`()
        async throws
    {
        let request = HedgedRequest(try await pipe(["aaaa", "bbbb", "cccc"]), limit: 5)
        let first = request.reader(of: 1)
        #expect(try await texts(first, 2) == ["aaaa", "bbbb"])
        let late = request.reader(of: 2)
        let error = await #expect(throws: RPCError.self) { try await late.next() }
        #expect(error?.message == "this try of the call is over")
        #expect(request.hasLost(2))
        request.commit(to: 2)
        late.cancel()
        #expect(try await texts(first) == ["cccc"])
    }

    @Test func `a try that is cancelled while it asks loses no message for the other`() async throws {
        let pipe = try await pipe([], ended: false)
        let request = HedgedRequest(pipe, limit: 1000)
        let (first, second) = (request.reader(of: 1), request.reader(of: 2))
        let asking = Task { try await first.next() }
        let waiting = Task { try await second.next() }
        for _ in 0..<100 { await Task.yield() }
        asking.cancel()
        _ = await asking.result
        try await pipe.write(MessageBytes("a".utf8))
        #expect(try await waiting.value == MessageBytes("a".utf8))
    }

    @Test func `who stops reading ends the source only when the call is committed to it`() async throws {
        let pipe = try await pipe(["a"], ended: false)
        let request = HedgedRequest(pipe, limit: 1000)
        let (first, second) = (request.reader(of: 1), request.reader(of: 2))
        first.cancel()
        #expect(try await texts(second, 1) == ["a"])
        request.commit(to: 2)
        try await pipe.write(MessageBytes("b".utf8))
        second.cancel()
        await #expect(throws: RPCError.self) { try await pipe.write(MessageBytes("c".utf8)) }
    }

    @Test func `an abandoned request ends its tries and its source`() async throws {
        let pipe = try await pipe([], ended: false)
        let request = HedgedRequest(pipe, limit: 1000)
        let (first, second) = (request.reader(of: 1), request.reader(of: 2))
        let tasks = [first, second].map { source in Task { try await source.next() } }
        for _ in 0..<100 { await Task.yield() }
        request.abandon()
        for task in tasks { await #expect(throws: (any Error).self) { try await task.value } }
        await #expect(throws: RPCError.self) { try await pipe.write(MessageBytes("c".utf8)) }
    }

    @Test func `over ten thousand messages three tries on different tasks read the same`() async throws {
        let pipe = MessagePipe()
        let request = HedgedRequest(pipe, limit: 10 << 20)
        let tasks = (1...3).map { number in
            let source = request.reader(of: number)
            return Task {
                var sum = 0
                while let message = try await source.next() {
                    sum = sum &* 31 &+ (Int(String(decoding: message.bytes, as: UTF8.self)) ?? -1)
                    if sum % 7 == number { await Task.yield() }
                }
                return sum
            }
        }
        var expected = 0
        for number in 0..<10_000 {
            try await pipe.write(MessageBytes("\(number)".utf8))
            expected = expected &* 31 &+ number
        }
        pipe.finish()
        for task in tasks { #expect(try await task.value == expected) }
    }
}
