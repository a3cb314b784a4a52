// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire

// The calls: each is sent, waits, fails, or goes back to its channel to be picked anew.

extension Subchannel {
    /// Sends the call now if a connection takes it; else it waits, or fails.
    func submit(_ stream: ClientStream) {
        // First come, first served: who comes now may not overtake those who wait.
        if waiting.isEmpty, let connection = connectionWithRoom { return send(stream, on: connection) }
        if let end { return stream.fail(RPCError(.unavailable, end.reason, progress: end.progress)) }
        if connections.isEmpty, case .backingOff(let failure) = attempt, !stream.call.waitForReady {
            return fail(stream, failure, progress: .notConnected)
        }
        guard waiting.count < options.maximumWaitingCalls else { return refuse(stream) }
        waiting.append(stream)
        stream.call.observer?.waiting(stream.call, for: handle)
        connectIfNeeded()
    }

    // As gRFC A32 does it: other endpoints may have room, so that a retry makes sense.
    private func refuse(_ stream: ClientStream) {
        let what = connections.isEmpty ? "a connection" : "the server to take more calls"
        let text = "\(waiting.count) calls wait for \(what) already (TransportOptions.maximumWaitingCalls)"
        stream.fail(RPCError(.unavailable, text, progress: .notConnected))
    }

    func fail(_ stream: ClientStream, _ failure: ConnectFailure, progress: RPCError.Progress) {
        stream.fail(
            RPCError(.unavailable, failure.reason, progress: progress, cause: "\(failures) failed connections"))
    }

    var hasWaitingCalls: Bool { !waiting.isEmpty }

    private var connectionWithRoom: ClientConnection? {
        guard let first = connections.first else { return nil }
        return first.hasRoom ? first : connections.dropFirst().first(where: \.hasRoom)
    }

    private func send(_ stream: ClientStream, on connection: ClientConnection) {
        stream.send(on: connection)
        if connection.isNearItsEnd { replace(connection) }
    }

    /// Sends calls that wait as long as there is room for them.
    func sendWaiting() {
        guard !waiting.isEmpty else { return }
        while let connection = connectionWithRoom, let stream = waiting.popFirst() { send(stream, on: connection) }
        if !waiting.isEmpty { connectIfNeeded() }
    }

    /// Another endpoint can be reached: calls that wait here and may go there do so.
    func handBack(inFavourOf other: EndpointHandle) {
        guard connections.isEmpty, case .backingOff(let failure) = attempt else { return }
        handBack(failure) { $0.handles.contains(other) }
    }

    // The transparent retry of their channel picks anew for calls with such candidates.
    func handBack(_ failure: ConnectFailure, where condition: (Candidates) -> Bool) {
        for stream in waiting.takeAll(where: { $0.call.candidates.map(condition) ?? false }) {
            fail(stream, failure, progress: .notSent)
        }
    }
}
