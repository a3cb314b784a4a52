// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Synchronization
import Testing

/// What a handler that runs off its connection's loop sees when its call ends early.
@Suite(.timeLimit(.minutes(10))) struct CancellationOrderTests {
    /// Reads or writes until that fails, and notes how.
    private struct Witness: Service {
        static let read = BytesMethod(service: "test.Witness", name: "Read", kind: .clientStreaming)
        static let write = BytesMethod(service: "test.Witness", name: "Write", kind: .serverStreaming)

        let notes = Notes()
        var execution: HandlerExecution { .concurrent }

        var routes: [Route] {
            [
                .clientStreaming(Self.read) { requests, _ in
                    do {
                        while try await requests.next() != nil {}
                    } catch {
                        notes.add(error)
                        throw error
                    }
                    return MessageBytes("")
                },
                .serverStreaming(Self.write) { request, writer, _ in
                    do {
                        while true { try await writer.write(request) }
                    } catch {
                        notes.add(error)
                        throw error
                    }
                },
            ]
        }
    }

    private final class Notes: Sendable {
        private let all = Mutex<[(message: String, isCancelled: Bool)]>([])

        var count: Int { all.withLock { $0.count } }
        var messages: Set<String> { all.withLock { Set($0.map(\.message)) } }
        var early: Int { all.withLock { $0.count { !$0.isCancelled } } }

        func add(_ error: any Error) {
            let note = ("\(error)", Task.isCancelled)
            all.withLock { $0.append(note) }
        }
    }

    @Test(arguments: [2000, 100_000])
    func `a writer's failure comes after its task's cancellation`(_ size: Int) async throws {
        let witness = Witness()
        let pair = try Pair(.tcp, serving: [witness])
        let request = MessageBytes([UInt8](repeating: 1, count: size))
        for _ in 0..<100 {
            let stream = try await pair.channel.serverStreaming(Witness.write, request)
            _ = try await stream.next()
            stream.cancel()
        }
        await eventually { witness.notes.count == 100 }
        #expect(witness.notes.early == 0)
        #expect(witness.notes.messages == ["CANCELLED: the client is gone (CANCEL)"])
        await pair.close()
    }

    @Test func `a reader's failure comes after its task's cancellation`() async throws {
        let witness = Witness()
        let pair = try Pair(.tcp, serving: [witness])
        for _ in 0..<100 {
            let call = pair.channel.clientStreaming(Witness.read)
            try await call.requests.write(MessageBytes("x"))
            await eventually { pair.running.counts.handlers == 1 }
            call.cancel()
            await eventually { pair.running.counts.handlers == 0 }
        }
        #expect(witness.notes.count == 100 && witness.notes.early == 0)
        #expect(witness.notes.messages == ["CANCELLED: the client is gone (CANCEL)"])
        await pair.close()
    }
}
