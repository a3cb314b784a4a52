// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv

/// Names and sockets by libuv: look-ups run on its threads, connections on the loop.
struct UVNetwork: SocketNetwork {
    func lookUp(
        _ host: String, port: Int, on loop: any EventLoop,
        answer: @escaping (Result<[Endpoint.Address], ConnectFailure>) -> Void
    ) -> any Dialing {
        guard let loop = loop as? UVLoop else {
            answer(.failure(Self.noSockets(host)))
            return NoDialing()
        }
        let lookUp = NameLookUp(host, answer)
        lookUp.start(port, on: loop)
        return lookUp
    }

    func connect(
        to address: Endpoint.Address, on loop: any EventLoop,
        answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
    ) -> any Dialing {
        guard let loop = loop as? UVLoop else {
            answer(.failure(Self.noSockets("\(address)")))
            return NoDialing()
        }
        let connecting = SocketConnecting(address, answer)
        connecting.start(on: loop)
        return connecting
    }

    func isIPv6(_ host: String) -> Bool? { SocketAddress(host: host, port: 0)?.isIPv6 }

    private static func noSockets(_ what: String) -> ConnectFailure {
        ConnectFailure(reason: "connect \(what): a simulated loop has no sockets")
    }
}

/// One look-up of a name. C owns a retain of this object until its callback has run.
private final class NameLookUp: Dialing {
    private let host: String
    private let answer: OneAnswer<[Endpoint.Address]>

    init(_ host: String, _ answer: @escaping (Result<[Endpoint.Address], ConnectFailure>) -> Void) {
        self.host = host
        self.answer = OneAnswer(answer)
    }

    func start(_ port: Int, on loop: UVLoop) {
        let request = UnsafeMutablePointer<uv_getaddrinfo_t>.allocate(capacity: 1)
        request.pointee.data = Unmanaged.passRetained(self).toOpaque()
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        let result = uv_getaddrinfo(loop.handle, request, uvLookedUp, host, String(port), &hints)
        guard result < 0 else { return }
        request.deallocate()
        Unmanaged.passUnretained(self).release()
        answer.give(.failure(failure(result)))
    }

    fileprivate func lookedUp(_ status: Int32, _ list: UnsafeMutablePointer<addrinfo>?) {
        var addresses: [Endpoint.Address] = []
        var entry = list
        while let current = entry {
            if let address = SocketAddress(UnsafePointer(current.pointee.ai_addr)) {
                addresses.append(address.scopedAddress)
            }
            entry = current.pointee.ai_next
        }
        uv_freeaddrinfo(list)
        answer.give(status == 0 && !addresses.isEmpty ? .success(addresses) : .failure(failure(status)))
    }

    private func failure(_ status: Int32) -> ConnectFailure {
        ConnectFailure(reason: "look up \(host): \(status == 0 ? "it has no addresses" : UVError.text(status))")
    }

    // A look-up that runs cannot be stopped: nobody hears of it.
    func cancel() { answer.cancel() }
}

/// One try to connect to one address. C owns a retain of this object while the try is under way.
private final class SocketConnecting: Dialing {
    private let address: Endpoint.Address
    private let answer: OneAnswer<any ConnectionIO>
    private var socket: UVStreamIO?

    init(_ address: Endpoint.Address, _ answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void) {
        self.address = address
        self.answer = OneAnswer(answer)
    }

    func start(on loop: UVLoop) {
        switch address {
        case .host(let host, let port): connectTCP(host, port, loop)
        case .unix(let path): connectUnix(SocketAddress(unixPath: path), loop)
        case .unixAbstract(let name): connectUnix(SocketAddress(abstractName: name), loop)
        case .memory: fail("\(address) is in no network of this process")
        }
    }

    private func connectTCP(_ host: String, _ port: Int, _ loop: UVLoop) {
        guard let numeric = SocketAddress(host: host, port: port) else {
            return fail("connect \(address): not an address")
        }
        connectTCP(on: loop) { socket, request in
            socket.withTCP { _ = uv_tcp_nodelay($0, 1) }
            return numeric.withAddress { address in
                socket.withTCP { uv_tcp_connect(request, $0, address, uvConnected) }
            }
        }
    }

    // Done at once or not at all; libuv takes no abstract name and cuts a long path.
    private func connectUnix(_ socketAddress: SocketAddress?, _ loop: UVLoop) {
        let descriptor = socketAddress.map(SystemCalls.connectUnix) ?? UV_ENAMETOOLONG.rawValue
        guard descriptor >= 0 else { return fail("connect \(address): \(UVError.text(descriptor))") }
        do throws(RPCError) {
            answer.give(.success(try UVStreamIO(adopting: descriptor, isPipe: true, peer: address, loop: loop)))
        } catch {
            fail(error.message)
        }
    }

    private func connectTCP(
        on loop: UVLoop, _ start: (UVStreamIO, UnsafeMutablePointer<uv_connect_t>) -> Int32
    ) {
        let socket: UVStreamIO
        do throws(RPCError) {
            socket = try UVStreamIO(.tcp, loop: loop, peer: address)
        } catch {
            return fail(error.message)
        }
        self.socket = socket
        let request = UnsafeMutablePointer<uv_connect_t>.allocate(capacity: 1)
        request.pointee.data = Unmanaged.passRetained(self).toOpaque()
        let result = start(socket, request)
        guard result < 0 else { return }
        request.deallocate()
        Unmanaged.passUnretained(self).release()
        connected(result)
    }

    fileprivate func connected(_ status: Int32) {
        guard answer.isAwaited, let socket else { return }
        guard status == 0 else { return fail("connect \(address): \(UVError.text(status))") }
        self.socket = nil
        answer.give(.success(socket))
    }

    private func fail(_ reason: String) {
        socket?.close()
        socket = nil
        answer.fail(reason)
    }

    func cancel() {
        answer.cancel()
        socket?.close()
        socket = nil
    }
}

// The requests' data is the object that made them, retained then: taken back here.
private func uvLookedUp(
    _ request: UnsafeMutablePointer<uv_getaddrinfo_t>?, _ status: Int32, _ list: UnsafeMutablePointer<addrinfo>?
) {
    guard let request, let data = request.pointee.data else { return }
    request.deallocate()
    Unmanaged<NameLookUp>.fromOpaque(data).takeRetainedValue().lookedUp(status, list)
}

private func uvConnected(_ request: UnsafeMutablePointer<uv_connect_t>?, _ status: Int32) {
    guard let request, let data = request.pointee.data else { return }
    request.deallocate()
    Unmanaged<SocketConnecting>.fromOpaque(data).takeRetainedValue().connected(status)
}
