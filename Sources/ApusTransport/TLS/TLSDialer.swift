// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// Makes connections as another dialer does, and the TLS handshake on them.
struct TLSDialer: Dialer {
    private let inner: any Dialer
    private let connector: TLSConnector

    /// - Throws: INVALID_ARGUMENT for certificates, keys or roots that cannot be used.
    init(_ inner: any Dialer, _ options: ClientTLS) throws(RPCError) {
        self.inner = inner
        connector = try TLSConnector(options)
    }

    func dial(
        _ address: Endpoint.Address, on loop: any EventLoop,
        answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
    ) -> any Dialing {
        let dialing = SecureDialing(address, connector, loop, answer)
        dialing.start(with: inner)
        return dialing
    }
}

/// A connection that is being made and secured. Loop only.
private final class SecureDialing: Dialing {
    private let address: Endpoint.Address
    private let connector: TLSConnector
    private let loop: any EventLoop
    private let answer: OneAnswer<any ConnectionIO>
    private var dialing: (any Dialing)?
    private var io: TLSIO?

    init(
        _ address: Endpoint.Address, _ connector: TLSConnector, _ loop: any EventLoop,
        _ answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
    ) {
        self.address = address
        self.connector = connector
        self.loop = loop
        self.answer = OneAnswer(answer)
    }

    func start(with dialer: any Dialer) {
        let dialing = dialer.dial(address, on: loop) { result in self.connected(result) }
        // The answer may have come before `dial` returned.
        if answer.isAwaited, io == nil { self.dialing = dialing }
    }

    private func connected(_ result: Result<any ConnectionIO, ConnectFailure>) {
        dialing = nil
        switch result {
        case .failure(let failure): finish(.failure(failure))
        case .success(let plain): secure(plain)
        }
    }

    private func secure(_ plain: any ConnectionIO) {
        guard answer.isAwaited else { return plain.close() }
        do throws(RPCError) {
            let io = try connector.connect(plain, to: address, on: loop)
            self.io = io
            connector.handshake(io) { result in
                switch result {
                case .established: self.finish(.success(io))
                case .failed(let reason): self.fail(reason)
                case .left: self.fail("the server closed the connection")
                }
            }
        } catch {
            plain.close()
            fail(error.message)
        }
    }

    private func fail(_ reason: String) {
        finish(.failure(ConnectFailure(reason: "connect \(address) with TLS: \(reason)")))
    }

    private func finish(_ result: Result<any ConnectionIO, ConnectFailure>) {
        io = nil
        answer.give(result)
    }

    func cancel() {
        answer.cancel()
        dialing?.cancel()
        dialing = nil
        io?.close()
        io = nil
    }
}
