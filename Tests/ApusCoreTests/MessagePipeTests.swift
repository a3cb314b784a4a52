// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

struct MessagePipeTests {
    private func message(_ number: Int) -> MessageBytes { MessageBytes(String(number).utf8) }

    private func number(_ message: MessageBytes?) -> Int? {
        message.flatMap { Int(String(decoding: $0.bytes, as: UTF8.self)) }
    }

    @Test func `messages arrive in order, and then the end`() async throws {
        let pipe = MessagePipe()
        for value in 0..<10 { try await pipe.write(message(value)) }
        pipe.finish()
        for value in 0..<10 { #expect(number(try await pipe.next()) == value) }
        #expect(try await pipe.next() == nil)
        #expect(try await pipe.next() == nil)
    }

    @Test(arguments: [false, true])
    func `a pipe is untouched until a message was read`(_ readerIsFirst: Bool) async throws {
        let pipe = MessagePipe()
        async let first = readerIsFirst ? pipe.next() : nil
        try await pipe.write(message(1))
        if readerIsFirst { _ = try await first } else { #expect(pipe.isUntouched) }
        if !readerIsFirst { _ = try await pipe.next() }
        #expect(!pipe.isUntouched)
    }

    @Test func `a write after the end is refused`() async {
        let pipe = MessagePipe()
        pipe.finish()
        let error = await #expect(throws: RPCError.self) { try await pipe.write(message(1)) }
        #expect(error?.code == .failedPrecondition)
    }

    @Test func `a failure drops what waits and reaches both sides`() async throws {
        let pipe = MessagePipe()
        try await pipe.write(message(1))
        pipe.fail(RPCError(.dataLoss, "broken"))
        pipe.fail(RPCError(.internal, "later"))
        for _ in 0..<2 {
            let read = await #expect(throws: RPCError.self) { try await pipe.next() }
            let write = await #expect(throws: RPCError.self) { try await pipe.write(message(1)) }
            #expect(read?.code == .dataLoss && write?.code == .dataLoss)
        }
    }

    @Test func `a writer waits at the high-water mark until the reader has made room`() async throws {
        // Each of these messages takes six bytes with its prefix.
        let pipe = MessagePipe(highWaterMark: 12)
        try await pipe.write(message(0))
        try await pipe.write(message(1))
        let third = Task { try await pipe.write(message(2)) }
        #expect(number(try await pipe.next()) == 0)
        try await third.value
        #expect(number(try await pipe.next()) == 1)
        #expect(number(try await pipe.next()) == 2)
    }

    @Test func `many writers lose nothing, and each keeps its own order`() async throws {
        let pipe = MessagePipe(highWaterMark: 60)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for value in 0..<100 { try await pipe.write(message(writer * 100 + value)) }
                }
            }
            var seen: [Int] = []
            while seen.count < 800 { seen.append(try #require(number(try await pipe.next()))) }
            #expect(Set(seen) == Set(0..<800))
            for writer in 0..<8 {
                let own = seen.filter { $0 / 100 == writer }
                #expect(own == own.sorted())
            }
            try await group.waitForAll()
        }
    }

    @Test func `a cancelled read throws and loses no message`() async throws {
        for round in 0..<500 {
            let pipe = MessagePipe()
            let reader = Task { try await pipe.next() }
            if round % 2 == 0 { await Task.yield() }
            async let written: Void = pipe.write(message(round))
            reader.cancel()
            try await written
            do {
                #expect(number(try await reader.value) == round)
            } catch {
                #expect(error is CancellationError)
                #expect(number(try await pipe.next()) == round)
            }
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `a read that is cancelled at any moment never hangs`() async {
        for _ in 0..<5000 {
            let pipe = MessagePipe()
            let reader = Task { try await pipe.next() }
            reader.cancel()
            await #expect(throws: CancellationError.self) { try await reader.value }
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `a write that is cancelled while it waits throws, and the others go on`() async throws {
        for round in 0..<500 {
            let pipe = MessagePipe(highWaterMark: 1)
            try await pipe.write(message(0))
            let cancelled = Task { try await pipe.write(message(1)) }
            let patient = Task { try await pipe.write(message(2)) }
            if round % 2 == 0 { await Task.yield() }
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            #expect(number(try await pipe.next()) == 0)
            try await patient.value
            #expect(number(try await pipe.next()) == 2)
        }
    }

    @Test func `a reader that goes away fails the writers that wait`() async throws {
        let pipe = MessagePipe(highWaterMark: 1)
        try await pipe.write(message(0))
        let writer = Task { try await pipe.write(message(1)) }
        pipe.cancel()
        let error = await #expect(throws: RPCError.self) { try await writer.value }
        #expect(error?.code == .cancelled)
    }

    @Test func `two readers at once are an error, not a hang`() async throws {
        let pipe = MessagePipe()
        let errors = await withTaskGroup(of: (any Error)?.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    do {
                        _ = try await pipe.next()
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            let first = await group.next()
            pipe.finish()
            let second = await group.next()
            return [first, second].map { $0.flatMap { $0 } }
        }
        #expect((errors[0] as? RPCError)?.code == .internal)
        #expect(errors[1] == nil)
    }
}
