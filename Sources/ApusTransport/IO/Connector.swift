// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv

/// Makes one connection: looks a name up, tries its addresses one after the other. Confined to its loop.
///
/// Answers exactly once, with a socket or with a text such as `connect 127.0.0.1:50051: connection refused`.
/// C owns a retain of this object while a look-up or a connect is under way.
final class Connector: Dialing {
    typealias Answer = (Result<any ConnectionIO, ConnectFailure>) -> Void

    private let loop: UVLoop
    private let target: Endpoint.Address
    private var answer: Answer?
    private var addresses: [SocketAddress] = []
    private var socket: UVStreamIO?
    private var lastReason = ""
    private lazy var timeout = LoopTimer { [unowned self] in self.timedOut() }

    // gRPC's connection back-off document: each try has at least 20 s.
    static let patience = Duration.seconds(20)

    init(_ target: Endpoint.Address, loop: UVLoop, answer: @escaping Answer) {
        self.loop = loop
        self.target = target
        self.answer = answer
    }

    func start() {
        loop.schedule(timeout, at: loop.now.advanced(by: Self.patience))
        switch target {
        case .host(let host, let port):
            if let numeric = SocketAddress(host: host, port: port) {
                addresses = [numeric]
                tryNext()
            } else {
                lookUp(host, port)
            }
        case .unix(let path): connectUnix(SocketAddress(unixPath: path))
        case .unixAbstract(let name): connectUnix(SocketAddress(abstractName: name))
        case .memory: finish(.failure(ConnectFailure(reason: "\(target) is in no network of this process")))
        }
    }

    /// Gives up; there will be no answer.
    func cancel() {
        answer = nil
        finish(.failure(ConnectFailure(reason: "cancelled")))
    }

    private func finish(_ result: Result<any ConnectionIO, ConnectFailure>) {
        loop.cancel(timeout)
        if case .failure = result { socket?.close() }
        socket = nil
        let answer = answer
        self.answer = nil
        answer?(result)
    }

    private func timedOut() {
        finish(.failure(ConnectFailure(reason: "connect \(target): no answer within \(Self.patience)")))
    }

    // MARK: Names

    private func lookUp(_ host: String, _ port: Int) {
        let request = UnsafeMutablePointer<uv_getaddrinfo_t>.allocate(capacity: 1)
        request.pointee.data = Unmanaged.passRetained(self).toOpaque()
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        let result = uv_getaddrinfo(loop.handle, request, uvLookedUp, host, String(port), &hints)
        if result < 0 {
            request.deallocate()
            Unmanaged.passUnretained(self).release()
            finish(.failure(ConnectFailure(reason: "look up \(host): \(UVError.text(result))")))
        }
    }

    fileprivate func lookedUp(_ status: Int32, _ list: UnsafeMutablePointer<addrinfo>?) {
        var entry = list
        while let current = entry {
            if let address = SocketAddress(UnsafePointer(current.pointee.ai_addr)) { addresses.append(address) }
            entry = current.pointee.ai_next
        }
        uv_freeaddrinfo(list)
        guard answer != nil else { return }
        guard status == 0, !addresses.isEmpty else {
            return finish(.failure(ConnectFailure(reason: "look up \(target): \(UVError.text(status))")))
        }
        tryNext()
    }

    // MARK: Connections

    private func tryNext() {
        guard !addresses.isEmpty else { return finish(.failure(ConnectFailure(reason: lastReason))) }
        let address = addresses.removeFirst()
        connect(.tcp, to: address.address) { socket, request in
            address.withAddress { address in socket.withTCP { uv_tcp_connect(request, $0, address, uvConnected) } }
        }
    }

    // Done at once or not at all; libuv takes no abstract name and cuts a long path.
    private func connectUnix(_ address: SocketAddress?) {
        let descriptor = address.map(SystemCalls.connectUnix) ?? UV_ENAMETOOLONG.rawValue
        guard descriptor >= 0 else { return failed(descriptor, target) }
        do throws(RPCError) {
            let socket = try UVStreamIO(adopting: descriptor, isPipe: true, peer: target, loop: loop)
            finish(.success(socket))
        } catch {
            finish(.failure(ConnectFailure(reason: error.message)))
        }
    }

    private func connect(
        _ kind: UVStreamIO.Kind, to peer: Endpoint.Address,
        _ start: (UVStreamIO, UnsafeMutablePointer<uv_connect_t>) -> Int32
    ) {
        let request = UnsafeMutablePointer<uv_connect_t>.allocate(capacity: 1)
        request.pointee.data = Unmanaged.passRetained(self).toOpaque()
        var result = UV_EMFILE.rawValue
        do throws(RPCError) {
            let socket = try UVStreamIO(kind, loop: loop, peer: peer)
            self.socket = socket
            if kind == .tcp { socket.withTCP { _ = uv_tcp_nodelay($0, 1) } }
            result = start(socket, request)
        } catch {
            lastReason = error.message
        }
        if result < 0 {
            request.deallocate()
            Unmanaged.passUnretained(self).release()
            failed(result, peer)
        }
    }

    fileprivate func connected(_ status: Int32) {
        guard answer != nil, let socket else { return }
        guard status == 0 else { return failed(status, socket.peer) }
        finish(.success(socket))
    }

    private func failed(_ status: Int32, _ peer: Endpoint.Address) {
        socket?.close()
        socket = nil
        lastReason = "connect \(peer): \(UVError.text(status))"
        tryNext()
    }
}

// The requests' data is the Connector, retained when the request was made: taken back here.
private func uvLookedUp(
    _ request: UnsafeMutablePointer<uv_getaddrinfo_t>?, _ status: Int32, _ list: UnsafeMutablePointer<addrinfo>?
) {
    guard let request, let data = request.pointee.data else { return }
    request.deallocate()
    Unmanaged<Connector>.fromOpaque(data).takeRetainedValue().lookedUp(status, list)
}

private func uvConnected(_ request: UnsafeMutablePointer<uv_connect_t>?, _ status: Int32) {
    guard let request, let data = request.pointee.data else { return }
    request.deallocate()
    Unmanaged<Connector>.fromOpaque(data).takeRetainedValue().connected(status)
}
