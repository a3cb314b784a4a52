// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The handlers of a simulated world: they do what the plan says for the call.
struct SimulatedService: Service {
    typealias Message = SimulationPlan.Message

    let ledger: SimulationLedger
    let clock: any MonotonicClock

    var routes: [Route] {
        [
            .unary(RecordedService.method(.unary)) { request, call in
                try await handle(call) { work in
                    try await work.read(request)
                    return try work.response(0)
                }
            },
            .clientStreaming(RecordedService.method(.clientStreaming)) { requests, call in
                try await handle(call) { work in
                    while let request = try await requests.next() { try await work.read(request) }
                    return try work.response(0)
                }
            },
            .serverStreaming(RecordedService.method(.serverStreaming)) { request, writer, call in
                try await handle(call) { work in
                    try await work.read(request)
                    try await work.write(from: 0, to: writer)
                }
            },
            .bidirectional(RecordedService.method(.bidirectional)) { requests, writer, call in
                try await handle(call) { work in
                    var written = 0
                    while let request = try await requests.next() {
                        try await work.read(request)
                        guard written < work.plan.responses.count else { continue }
                        try await writer.write(try work.response(written))
                        written += 1
                    }
                    try await work.write(from: written, to: writer)
                }
            },
        ]
    }

    private func handle<R>(_ call: ServerCall, _ body: (Work) async throws -> R) async throws -> R {
        guard let id = call.metadata["x-call"].flatMap({ Int($0) }), ledger.plan.calls.indices.contains(id) else {
            ledger.violated("a handler without a call")
            throw RPCError(.internal, "no call")
        }
        return try await ledger.handle(id) { number in
            let work = Work(number: number, plan: ledger.plan.calls[id], ledger: ledger, clock: clock)
            let result = try await body(work)
            if work.plan.fails { throw RPCError(.failedPrecondition, "as planned") }
            return result
        }
    }

    /// One handler at work.
    struct Work {
        let number: Int
        let plan: SimulationPlan.Call
        let ledger: SimulationLedger
        let clock: any MonotonicClock

        func read(_ request: MessageBytes) async throws {
            ledger.received(request, handler: number)
            try await pause()
        }

        func response(_ index: Int) throws -> MessageBytes {
            Message(call: plan.id, index: index, handler: number).bytes(plan.responses[index])
        }

        func write(from first: Int, to writer: ResponseWriter<BytesCodec>) async throws {
            for index in first..<max(first, plan.responses.count) {
                try await pause()
                try await writer.write(try response(index))
            }
        }

        private func pause() async throws {
            guard plan.handlerPause > .zero else { return }
            let moment = clock.now.advanced(by: plan.handlerPause)
            if plan.isStubborn { try? await clock.sleep(until: moment) } else { try await clock.sleep(until: moment) }
        }
    }
}
