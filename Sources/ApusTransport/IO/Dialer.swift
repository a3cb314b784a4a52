// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// How a transport gets its connections: sockets, or an in-memory network.
protocol Dialer: Sendable {
    /// Makes one connection and answers once, on the loop, perhaps before this returns.
    func dial(
        _ address: Endpoint.Address, on loop: any EventLoop,
        answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
    ) -> any Dialing
}

/// A connection that is being made. Loop only.
protocol Dialing: AnyObject {
    /// Gives up; there will be no answer.
    func cancel()
}

/// Why there is no connection, in one line: `connect 127.0.0.1:50051: connection refused`.
struct ConnectFailure: Error {
    let reason: String
}

/// TCP and Unix domain sockets.
struct SocketDialer: Dialer {
    /// The time for one connection, the look-up of its name included.
    let connectTimeout: Duration
    let acknowledgementTimeout: Duration?
    var network: any SocketNetwork = UVNetwork()

    func dial(
        _ address: Endpoint.Address, on loop: any EventLoop,
        answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
    ) -> any Dialing {
        let limit = acknowledgementTimeout
        let connector = Connector(address, network: network, loop: loop, patience: connectTimeout) { result in
            if let limit, case .success(let socket as UVStreamIO) = result { socket.limitUnacknowledged(limit) }
            answer(result)
        }
        connector.start()
        return connector
    }
}

/// Nothing is under way: the answer came at once.
final class NoDialing: Dialing {
    func cancel() {}
}
