// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

/// The request half of a call: messages on their way out.
extension ClientStream {
    /// Moves the messages of a streamed request to the connection, in a task on its loop.
    func startPump(_ source: any MessageSource) {
        pump = Task(executorPreference: loop) {
            do {
                // A try that is over may not take a message away from the next one.
                while !Task.isCancelled, let message = try await source.next() {
                    let framed = try self.framed(message)
                    let (wake, full) = try self.outbound.write(framed)
                    self.call.record?.messageSent(framed.count)
                    if wake { self.resume() }
                    if full { try await self.outbound.drain() }
                }
                if self.outbound.finish(nil, OutboundHalf.End()) == true { self.resume() }
            } catch {
                self.end(RPCError(wrapping: error))
            }
        }
    }

    // The message as it goes to the wire.
    private func framed(_ message: MessageBytes) throws(RPCError) -> MessageBytes {
        guard let compressor else { return message }
        return try message.compressed(by: compressors[compressor])
    }

    private func resume() {
        loop.run {
            guard !self.isOver, let connection = self.connection else { return }
            connection.session?.resumeData(self)
            connection.touch()
        }
    }

    /// What the next DATA frame may carry.
    func provideData(_ limit: Int) -> DataAnswer {
        switch outbound.available(limit) {
        case .bytes(let count): return .bytes(count)
        case .bytesAndEnd(let count):
            requestEnded = true
            return .bytesAndEnd(count)
        case .nothing: return .later
        }
    }
}
