// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// A channel's subchannels on one loop, by endpoint.
///
/// Sendable: confined to its loop, on which the transport posts.
final class ConnectionPool: @unchecked Sendable {
    let loop: any EventLoop
    let dialer: any Dialer
    let options: TransportOptions
    private var subchannels: [EndpointHandle: Subchannel] = [:]
    private var closeReason: String?

    init(loop: any EventLoop, dialer: any Dialer, options: TransportOptions) {
        self.loop = loop
        self.dialer = dialer
        self.options = options
    }

    /// Sends a call that has begun to the endpoint that was chosen for it.
    func submit(_ stream: ClientStream, to handle: EndpointHandle) {
        if let closeReason {
            return stream.fail(RPCError(.unavailable, closeReason, progress: .notConnected))
        }
        subchannel(handle).submit(stream)
    }

    private func subchannel(_ handle: EndpointHandle) -> Subchannel {
        if let known = subchannels[handle] { return known }
        let subchannel = Subchannel(handle, self)
        subchannels[handle] = subchannel
        handle.onRetire { [weak self, weak handle] in
            guard let self, let handle else { return }
            self.loop.execute { self.retire(handle) }
        }
        return subchannel
    }

    private func retire(_ handle: EndpointHandle) {
        subchannels.removeValue(forKey: handle)?.retire()
    }

    /// Closes every connection; later calls fail.
    func close(_ reason: String) {
        closeReason = reason
        // Not in the order of hashes, which no run has twice.
        let all = subchannels.sorted { "\($0.key.endpoint.address)" < "\($1.key.endpoint.address)" }
        subchannels = [:]
        for (_, subchannel) in all { subchannel.close(reason) }
    }
}
