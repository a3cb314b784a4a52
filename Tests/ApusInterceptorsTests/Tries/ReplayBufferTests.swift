// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusInterceptors

struct ReplayBufferTests {
    let pipe = MessagePipe(highWaterMark: 1 << 20)

    private func message(_ number: Int) -> MessageBytes { MessageBytes(String(number).utf8) }

    private func number(_ message: MessageBytes?) -> Int? {
        message.flatMap { Int(String(decoding: $0.bytes, as: UTF8.self)) }
    }

    private func write(_ numbers: Range<Int>) async throws {
        for number in numbers { try await pipe.write(message(number)) }
    }

    private func rest(of source: any MessageSource) async throws -> [Int] {
        var numbers: [Int] = []
        while let next = number(try await source.next()) { numbers.append(next) }
        return numbers
    }

    @Test func `each try reads all messages from the first on`() async throws {
        let buffer = ReplayBuffer(pipe, limit: 1000)
        try await write(0..<5)
        pipe.finish()
        for _ in 0..<3 {
            #expect(try await rest(of: buffer.makeCursor()) == [0, 1, 2, 3, 4])
            #expect(buffer.endTry())
        }
    }

    @Test func `a try that stopped in the middle leaves nothing out for the next`() async throws {
        let buffer = ReplayBuffer(pipe, limit: 1000)
        try await write(0..<3)
        let first = buffer.makeCursor()
        for expected in 0..<3 { #expect(number(try await first.next()) == expected) }
        #expect(buffer.endTry())
        try await write(3..<5)
        pipe.finish()
        #expect(try await rest(of: buffer.makeCursor()) == [0, 1, 2, 3, 4])
    }

    @Test func `the cursor of a failed try reads no more`() async throws {
        let buffer = ReplayBuffer(pipe, limit: 1000)
        try await write(0..<1)
        let first = buffer.makeCursor()
        #expect(buffer.endTry())
        let error = await #expect(throws: RPCError.self) { try await first.next() }
        #expect(error?.code == .cancelled)
        #expect(number(try await buffer.makeCursor().next()) == 0)
    }

    @Test func `a message that a failed try was waiting for goes to the next one`() async throws {
        for round in 0..<200 {
            let pipe = MessagePipe()
            let buffer = ReplayBuffer(pipe, limit: 1000)
            let first = buffer.makeCursor()
            let stale = Task { try await first.next() }
            if round % 2 == 0 { await Task.yield() }
            #expect(buffer.endTry())
            let second = buffer.makeCursor()
            let fresh = Task { try await second.next() }
            if round % 3 == 0 { stale.cancel() }
            if round % 5 == 0 { await Task.yield() }
            try await pipe.write(message(round))
            #expect(number(try await fresh.value) == round)
            await #expect(throws: (any Error).self) { try await stale.value }
        }
    }

    @Test func `tries that fail at any moment lose, repeat and reorder nothing`() async throws {
        for seed in 0..<60 {
            let random = SplitMixRandom(seed: UInt64(seed))
            let pipe = MessagePipe(highWaterMark: 64)
            let buffer = ReplayBuffer(pipe, limit: 1 << 20)
            let writer = Task {
                for number in 0..<100 { try await pipe.write(message(number)) }
                pipe.finish()
            }
            for _ in 0..<4 {
                let cursor = buffer.makeCursor()
                let reader = Task { try await rest(of: cursor) }
                for _ in 0..<random.index(below: 40) { await Task.yield() }
                if random.index(below: 2) == 0 { reader.cancel() }
                if random.index(below: 2) == 0 { cursor.cancel() }
                #expect(buffer.endTry())
            }
            let last = buffer.makeCursor()
            let reader = Task { try await rest(of: last) }
            for _ in 0..<random.index(below: 40) { await Task.yield() }
            buffer.commit()
            #expect(try await reader.value == Array(0..<100))
            try await writer.value
        }
    }

    @Test func `a try that read more than the limit commits the call`() async throws {
        let buffer = ReplayBuffer(pipe, limit: 30)
        try await write(0..<20)
        pipe.finish()
        let cursor = buffer.makeCursor()
        #expect(try await rest(of: cursor) == Array(0..<20))
        #expect(!buffer.endTry())
        #expect(buffer.state.withLock { $0.messages.isEmpty })
    }

    @Test func `a message that arrives between two tries is kept even past the limit`() async throws {
        let buffer = ReplayBuffer(pipe, limit: 8)
        try await write(0..<1)
        let first = buffer.makeCursor()
        #expect(number(try await first.next()) == 0)
        let stale = Task { try await first.next() }
        while !buffer.state.withLock({ $0.isPulling }) { await Task.yield() }
        #expect(buffer.endTry())
        try await write(1..<2)
        await #expect(throws: RPCError.self) { try await stale.value }
        pipe.finish()
        #expect(try await rest(of: buffer.makeCursor()) == [0, 1])
    }

    @Test func `after the commit messages pass through and nothing is kept`() async throws {
        let buffer = ReplayBuffer(pipe, limit: 1 << 20)
        let cursor = buffer.makeCursor()
        try await write(0..<3)
        #expect(number(try await cursor.next()) == 0)
        buffer.commit()
        #expect(number(try await cursor.next()) == 1)
        #expect(number(try await cursor.next()) == 2)
        #expect(buffer.state.withLock { $0.messages.isEmpty && $0.bytes == 0 })
        #expect(!buffer.endTry())
    }

    @Test func `a source that breaks breaks every try`() async throws {
        let buffer = ReplayBuffer(pipe, limit: 1000)
        pipe.fail(RPCError(.dataLoss, "broken"))
        for _ in 0..<2 {
            let error = await #expect(throws: RPCError.self) { try await buffer.makeCursor().next() }
            #expect(error?.code == .dataLoss)
            #expect(buffer.endTry())
        }
    }

    @Test func `a transport that stops reading ends the source only when no other try can follow`() async throws {
        let buffer = ReplayBuffer(pipe, limit: 1000)
        buffer.makeCursor().cancel()
        try await write(0..<1)
        #expect(buffer.endTry())
        let last = buffer.makeCursor()
        #expect(number(try await last.next()) == 0)
        last.cancel()
        try await write(1..<2)
        buffer.commit()
        await #expect(throws: RPCError.self) { try await pipe.write(message(2)) }
    }

    @Test func `a streamed call is tried again with all of its messages`() async throws {
        let script = ScriptedTransport()
        script.expect().run { call in
            guard case .stream(let source) = call.request else { throw RPCError(.internal, "no stream") }
            _ = try await source.next()
            throw RPCError(.unavailable, "gone")
        }
        script.expect().run { call in
            guard case .stream(let source) = call.request else { throw RPCError(.internal, "no stream") }
            let numbers = try await rest(of: source)
            let text = "\(numbers)"
            return ClientResponse(
                metadata: Metadata(), body: .one(MessageBytes(text.utf8), trailers: Metadata()))
        }
        let channel = Channel("users", interceptors: [Retry(.exponential(initial: .zero))], transport: script)
        let method = Method<BytesCodec, BytesCodec>(service: "test", name: "Sum", kind: .clientStreaming)
        let response = try await channel.clientStreaming(method) { writer in
            for number in 0..<4 { try await writer.write(message(number)) }
        }
        #expect(String(decoding: response.message.bytes, as: UTF8.self) == "[0, 1, 2, 3]")
    }

    @Test func `a streamed call past its replay buffer fails and says so`() async throws {
        let script = ScriptedTransport()
        script.expect().run { call in
            guard case .stream(let source) = call.request else { throw RPCError(.internal, "no stream") }
            for _ in 0..<3 { _ = try await source.next() }
            throw RPCError(.unavailable, "gone")
        }
        let channel = Channel(
            "users", interceptors: [Retry(.exponential(initial: .zero), replayLimit: 10)], transport: script)
        try await write(0..<3)
        let error = await #expect(throws: RPCError.self) { try await channel.start(.clientStreaming, .stream(pipe)) }
        #expect(error?.notes == ["attempt 1 of 4", "its streamed request is larger than the replay buffer"])
        await #expect(throws: RPCError.self) { try await pipe.write(message(3)) }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `over 10,000 steps each try reads what the source said, from the first message on`(_ seed: UInt64) {
        let random = SplitMixRandom(seed: seed)
        var model = Model(limit: random.index(below: 400))
        for _ in 0..<10_000 {
            switch random.index(below: 24) {
            case 0..<12: model.read()
            case 12..<21: model.arrive(message(random.index(below: 100_000)))
            case 21: model.endTry()
            case 22: if random.index(below: 10) == 0 { model.commit() }
            default: if random.index(below: 10) == 0 { model.finish() }
            }
            if model.isOver { model = Model(limit: random.index(below: 400)) }
            guard model.problem == nil else { break }
        }
        #expect(model.problem == nil)
    }
}

/// A request, and what its tries have to see of it.
private struct Model {
    let limit: Int
    private var state = ReplayBuffer.State()
    private var said: [MessageBytes] = []
    private var bytes = 0
    private var place = 0
    private var isPulling = false
    private var isCommitted = false
    private var hasEnded = false
    private(set) var isOver = false
    private(set) var problem: String?

    init(limit: Int) { self.limit = limit }

    mutating func read() {
        switch state.step(for: state.current, limit: limit) {
        case .message(let message):
            check(place < said.count && message == said[place], "message \(place) is another one")
            place += 1
            if bytes > limit { isCommitted = true }
        case .end(.finished): check(hasEnded && place == said.count, "the end comes early")
        case .end(.failed(let error)): check(false, "\(error)")
        case .pull:
            check(!isPulling && !hasEnded && place == said.count, "the source is asked for what is there")
            isPulling = true
        case .wait: check(isPulling && place == said.count, "there is nothing to wait for")
        }
        check(state.isCommitted == isCommitted, "committed: \(state.isCommitted)")
        if isCommitted, place == said.count { check(state.messages.isEmpty, "messages are kept that nobody will read") }
    }

    /// The source answers whoever asked it.
    mutating func arrive(_ message: MessageBytes) {
        guard isPulling else { return }
        isPulling = false
        state.isPulling = false
        state.keep(message)
        said.append(message)
        bytes += message.count + MessageBytes.prefixSize
    }

    mutating func finish() {
        guard isPulling else { return }
        (isPulling, hasEnded) = (false, true)
        state.isPulling = false
        state.end = .finished
    }

    mutating func commit() {
        state.commit()
        isCommitted = true
    }

    /// Another try begins where it can.
    mutating func endTry() {
        state.current += 1
        isOver = isCommitted
        state.position = 0
        place = 0
    }

    private mutating func check(_ holds: Bool, _ text: String) {
        if !holds, problem == nil { problem = "after \(said.count) messages: \(text)" }
    }
}
