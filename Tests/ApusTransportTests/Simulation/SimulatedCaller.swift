// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The client of one call: it does what the plan says.
struct SimulatedCaller: Sendable {
    typealias Message = SimulationPlan.Message

    let plan: SimulationPlan.Call
    let channel: Channel
    let ledger: SimulationLedger
    let clock: any MonotonicClock

    func run() async {
        var end = SimulationLedger.ClientEnd()
        do {
            end.code = try await call(&end) ? .ok : nil
        } catch {
            end.code = RPCError(wrapping: error).code
            end.text = "\(error)"
        }
        ledger.clientEnded(plan.id, end)
    }

    private var options: CallOptions {
        var options = CallOptions(timeout: plan.deadline, metadata: ["x-call": "\(plan.id)"])
        options.waitForReady = plan.waitsForReady
        return options
    }

    private func request(_ index: Int) -> MessageBytes {
        Message(call: plan.id, index: index, handler: 0).bytes(plan.requests[index])
    }

    // False when the client left before the end.
    private func call(_ end: inout SimulationLedger.ClientEnd) async throws -> Bool {
        let method = RecordedService.method(plan.kind)
        switch plan.kind {
        case .unary:
            let answer = try await channel.unary(method, request(0), options: options)
            ledger.received(answer.message, plan.id, &end)
        case .clientStreaming:
            let answer = try await channel.clientStreaming(method, options: options) { try await write($0) }
            ledger.received(answer.message, plan.id, &end)
        case .serverStreaming:
            let stream = try await channel.serverStreaming(method, request(0), options: options)
            return try await read(stream, &end)
        case .bidirectional:
            let call: BidirectionalCall<BytesCodec, BytesCodec> = channel.bidirectional(method, options: options)
            return try await withTaskCancellationHandler {
                async let written: Void = finish(call.requests)
                let isWhole = try await read(try await call.responses(), &end)
                if !isWhole { call.cancel() }
                await written
                return isWhole
            } onCancel: {
                call.cancel()
            }
        }
        return true
    }

    // A write fails when the call has ended: the reader hears why.
    private func finish(_ writer: RequestWriter<BytesCodec>) async {
        try? await write(writer)
        writer.finish()
    }

    private func write(_ writer: RequestWriter<BytesCodec>) async throws {
        for index in plan.requests.indices {
            let message = request(index)
            try await writer.write(message)
            ledger.wrote(plan.id, message.count)
            if plan.clientPause > .zero { try await pause() }
        }
    }

    private func read(
        _ stream: ResponseStream<BytesCodec>, _ end: inout SimulationLedger.ClientEnd
    ) async throws -> Bool {
        while true {
            if let limit = plan.readsOnly, end.responses.count >= limit { return false }
            guard let response = try await stream.next() else { return true }
            ledger.received(response, plan.id, &end)
            if plan.clientPause > .zero { try await pause() }
        }
    }

    private func pause() async throws { try await clock.sleep(until: clock.now.advanced(by: plan.clientPause)) }
}
