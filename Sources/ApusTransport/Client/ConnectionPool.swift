// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// A channel's subchannels on one loop, by endpoint.
///
/// Sendable: confined to its loop, on which the transport posts.
final class ConnectionPool: @unchecked Sendable {
    let loop: any EventLoop
    let dialer: any Dialer
    let options: TransportOptions
    let connectivity: Connectivity
    let streamLimits: ClientStream.Limits
    private let group: PoolGroup
    // Unchecked: one thread, and no access lasts while something else is called.
    @exclusivity(unchecked) private var subchannels:
        [EndpointHandle: (subchannel: Subchannel, hook: EndpointHandle.RetireHook?)] = [:]
    private var closeReason: String?

    init(
        loop: any EventLoop, dialer: any Dialer, options: TransportOptions, connectivity: Connectivity,
        group: PoolGroup = PoolGroup()
    ) {
        self.loop = loop
        self.dialer = dialer
        self.options = options
        self.connectivity = connectivity
        self.group = group
        streamLimits = ClientStream.Limits(options)
        group.add(self)
    }

    /// Begins a call and sends it to the endpoint that was chosen for it.
    func start(_ stream: ClientStream, _ head: ClientStream.Head, at handle: EndpointHandle) {
        if stream.begin(head) { submit(stream, to: handle) }
    }

    /// Sends a call that has begun.
    func submit(_ stream: ClientStream, to handle: EndpointHandle) {
        if let closeReason {
            return stream.fail(RPCError(.unavailable, closeReason, progress: .notConnected))
        }
        subchannel(handle).submit(stream)
    }

    /// Makes a connection to an endpoint, if there is none.
    func connect(to handle: EndpointHandle) {
        guard closeReason == nil else { return }
        subchannel(handle).connect()
    }

    private func subchannel(_ handle: EndpointHandle) -> Subchannel {
        if let known = subchannels[handle] { return known.subchannel }
        let subchannel = Subchannel(handle, self)
        subchannels[handle] = (subchannel, nil)
        // A handle may outlive this channel, which takes the hook back when it closes.
        let hook = handle.onRetire { [unowned handle] in
            // Not weakly: a count of an object that is referred to so is several times slower, and every call counts
            // its endpoint. A handle that retires is there.
            let retired = handle
            self.loop.execute { self.retire(retired) }
        }
        subchannels[handle]?.hook = hook
        return subchannel
    }

    /// An endpoint can be reached: calls that wait for another one may go there, on every loop.
    func becameReady(_ handle: EndpointHandle) {
        handBack(inFavourOf: handle)
        group.becameReady(handle, in: self)
    }

    /// An endpoint was reached from another loop.
    func becameReadyElsewhere(_ handle: EndpointHandle) {
        guard closeReason == nil else { return }
        subchannels[handle]?.subchannel.retryNow()
        handBack(inFavourOf: handle)
    }

    private func handBack(inFavourOf handle: EndpointHandle) {
        for (other, entry) in inOrder where other != handle { entry.subchannel.handBack(inFavourOf: handle) }
    }

    /// What operators see of its subchannels. Loop only.
    var ways: [ChannelInspection.Way] {
        inOrder.map { handle, entry in
            ChannelInspection.Way(
                id: entry.subchannel.inventoryID, address: handle.address, state: entry.subchannel.state,
                calls: entry.subchannel.calls,
                connections: (entry.subchannel.connections + entry.subchannel.draining).map { ConnectionInspection($0) }
            )
        }
    }

    private func retire(_ handle: EndpointHandle) {
        subchannels.removeValue(forKey: handle)?.subchannel.retire()
    }

    /// Closes every connection; later calls fail.
    func close(_ reason: String) {
        closeReason = reason
        let all = inOrder
        subchannels = [:]
        group.remove(self)
        for (handle, entry) in all {
            if let hook = entry.hook { handle.forget(hook) }
            entry.subchannel.close(reason)
        }
    }

    // Not the order of hashes, which no run has twice.
    private var inOrder: [(key: EndpointHandle, value: (subchannel: Subchannel, hook: EndpointHandle.RetireHook?))] {
        subchannels.sorted { "\($0.key.address)" < "\($1.key.address)" }
    }
}
