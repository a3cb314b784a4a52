// SPDX-License-Identifier: Apache-2.0

import Apus
import DrillProtos
import Synchronization
import Testing

@testable import FailureDrill

@Suite struct OpenLoadTests {
    private final class Counter: DrillProtos.Worker.Handler {
        let answer: @Sendable (Int64) -> Int64
        let numbers = Mutex<[Int64]>([])

        init(_ answer: @escaping @Sendable (Int64) -> Int64) { self.answer = answer }

        func work(_ request: WorkRequest, call: ServerCall) async throws -> WorkReply {
            numbers.withLock { $0.append(request.number) }
            return WorkReply(number: answer(request.number))
        }

        func count(
            _ request: CountRequest, to writer: ResponseWriter<ProtobufCodec<CountReply>>, call: ServerCall
        ) async throws {}

        func ail(_ request: Ailment, call: ServerCall) async throws -> Ailment { request }
    }

    private func run(_ counter: Counter, until isEnough: @escaping @Sendable () -> Bool) async throws -> Record {
        let network = InMemoryNetwork()
        let running = try network.start(Server([counter]), as: "w")
        let record = Record()
        let endpoint = Endpoint(.memory("w"), metadata: ["instance": "w"])
        let interceptors: [any ClientInterceptor] = [PinnedEndpoint(endpoint), TryWitness(record: record)]
        let channel = Channel("w", interceptors: interceptors, transport: network.transport())
        let load = OpenLoad(client: Worker.Client(channel), rate: 1000, record: record)
        let task = Task { await load.run() }
        while !isEnough() { try await Task.sleep(for: .milliseconds(1)) }
        task.cancel()
        await task.value
        channel.close()
        await running.stop(grace: .seconds(10))
        return record
    }

    @Test func `each call is made once, recorded with who answered it, and none is forgotten at the end`() async throws
    {
        let counter = Counter { $0 }
        let record = try await run(counter) { counter.numbers.withLock { $0.count >= 50 } }
        let numbers = counter.numbers.withLock { $0 }
        #expect(Set(numbers) == Set(0..<Int64(numbers.count)))
        #expect(record.calls.count == numbers.count)
        #expect(record.calls.allSatisfy { $0.error == nil && $0.instances == ["w"] && $0.latency >= .zero })
        #expect(record.tries(of: "w").count == numbers.count)
        #expect(Set(record.calls.map(\.due)).count == numbers.count)
    }

    @Test func `the answer of another call is a failure`() async throws {
        let counter = Counter { $0 + 1 }
        let record = try await run(counter) { counter.numbers.withLock { !$0.isEmpty } }
        #expect(!record.calls.isEmpty && record.calls.allSatisfy { $0.error == "the answer of another call" })
    }
}
