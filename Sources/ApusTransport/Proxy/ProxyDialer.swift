// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

/// Makes connections as another dialer does, through a proxy where there is one on the way.
struct ProxyDialer: Dialer {
    let inner: any Dialer
    let choice: ProxyChoice
    /// The time that a proxy has for its answer.
    let timeout: Duration

    func dial(
        _ address: Endpoint.Address, on loop: any EventLoop,
        answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
    ) -> any Dialing {
        do throws(RPCError) {
            guard case .host(let host, let port) = address, let proxy = try choice.proxy(for: host, port: port) else {
                return inner.dial(address, on: loop, answer: answer)
            }
            guard Self.isName(host) else { throw RPCError(.invalidArgument, "no proxy can be asked for this name") }
            let dialing = TunnelDialing(address, proxy, loop, answer)
            dialing.start(with: inner, timeout: timeout)
            return dialing
        } catch {
            answer(.failure(ConnectFailure(reason: "connect \(address): \(error.message)")))
            return NoDialing()
        }
    }

    // It becomes part of a request's lines.
    private static func isName(_ host: String) -> Bool {
        host.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "@") }
    }
}

/// A connection to a proxy that is asked for a tunnel. Loop only.
private final class TunnelDialing: Dialing {
    private let address: Endpoint.Address
    private let proxy: HTTPProxy
    private let loop: any EventLoop
    private let answer: OneAnswer<any ConnectionIO>
    private var dialing: (any Dialing)?
    private var io: (any ConnectionIO)?
    private var response = ProxyResponse()
    private lazy var timer = LoopTimer { [unowned self] in self.fail("it gave no answer in time") }

    init(
        _ address: Endpoint.Address, _ proxy: HTTPProxy, _ loop: any EventLoop,
        _ answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
    ) {
        self.address = address
        self.proxy = proxy
        self.loop = loop
        self.answer = OneAnswer(answer)
    }

    func start(with dialer: any Dialer, timeout: Duration) {
        let dialing = dialer.dial(proxy.address, on: loop) { self.connected($0, timeout) }
        // The answer may have come before `dial` returned.
        if answer.isAwaited, io == nil { self.dialing = dialing }
    }

    private func connected(_ result: Result<any ConnectionIO, ConnectFailure>, _ timeout: Duration) {
        dialing = nil
        switch result {
        case .failure(let failure): fail(failure.reason)
        case .success(let io):
            guard answer.isAwaited else { return io.close() }
            self.io = io
            loop.schedule(timer, at: loop.now.advanced(by: timeout))
            io.start(self)
            let output = OutputBuffer()
            ProxyRequest.connect(to: "\(address)", credentials: proxy.credentials).withUnsafeBytes {
                output.append(copying: $0)
            }
            _ = io.write(output)
        }
    }

    private func established(_ rest: [UInt8]) {
        guard let io else { return }
        self.io = nil
        // Whoever gets it begins to read when he is ready.
        io.setReading(false)
        finish(.success(rest.isEmpty ? io : TunnelIO(io, rest, loop)))
    }

    private func fail(_ reason: String) {
        finish(.failure(ConnectFailure(reason: "connect \(address) through the proxy \(proxy): \(reason)")))
    }

    private func finish(_ result: Result<any ConnectionIO, ConnectFailure>) {
        letGo()
        answer.give(result)
    }

    func cancel() {
        answer.cancel()
        dialing?.cancel()
        dialing = nil
        letGo()
    }

    private func letGo() {
        loop.cancel(timer)
        io?.close()
        io = nil
    }
}

extension TunnelDialing: ConnectionIOHandler {
    func ioReceived(_ bytes: UnsafeRawBufferPointer) {
        guard io != nil else { return }
        switch response.receive(bytes) {
        case .more: break
        case .established(let rest): established(rest)
        case .refused(let text): fail(text)
        }
    }

    func ioDrained() {}
    func ioEnded(_ reason: String) { fail(reason) }
}
