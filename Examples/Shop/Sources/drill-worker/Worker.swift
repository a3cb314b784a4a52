// SPDX-License-Identifier: Apache-2.0

import Apus
import DrillProtos
import Synchronization

/// Answers, late or with errors while it ails.
final class Worker: DrillProtos.Worker.Handler {
    private let instance: String
    private let ailment = Mutex(Ailment())

    init(instance: String) { self.instance = instance }

    func work(_ request: WorkRequest, call: ServerCall) async throws -> WorkReply {
        let ailment = ailment.withLock { $0 }
        if ailment.delayMilliseconds > 0 {
            try await Task.sleep(for: .milliseconds(Int64(ailment.delayMilliseconds)))
        }
        if ailment.failingPercent > 0, Int32.random(in: 0..<100) < ailment.failingPercent {
            throw RPCError(.unavailable, "\(instance) ails")
        }
        return WorkReply(number: request.number, instance: instance)
    }

    func count(
        _ request: CountRequest, to writer: ResponseWriter<ProtobufCodec<CountReply>>, call: ServerCall
    ) async throws {
        guard (1...1000).contains(request.end), request.intervalMilliseconds >= 0 else {
            throw RPCError(.invalidArgument, "end is 1 to 1000 and the interval not negative")
        }
        for number in 1...request.end {
            try await writer.write(CountReply(number: number, instance: instance))
            try await Task.sleep(for: .milliseconds(Int64(request.intervalMilliseconds)))
        }
    }

    func ail(_ request: Ailment, call: ServerCall) async throws -> Ailment {
        ailment.withLock { ailment in
            ailment = request
            return request
        }
    }
}
