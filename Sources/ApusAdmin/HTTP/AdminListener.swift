// SPDX-License-Identifier: Apache-2.0

#if Admin
    import FlyingSocks
    import Synchronization

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #elseif canImport(Darwin)
        import Darwin
    #endif

    /// The socket that the admin page listens on.
    struct AdminListener: Sendable {
        /// `127.0.0.1:9900`
        let authority: String
        private let socket: Socket

        /// - Throws: why it cannot listen.
        init(_ options: AdminOptions) throws {
            let port = UInt16(clamping: options.port)
            let host = options.host == "localhost" ? "127.0.0.1" : options.host
            if host.contains(":") {
                socket = try Self.listening(.inet6(ip6: host, port: port))
            } else {
                socket = try Self.listening(.inet(ip4: host, port: port))
            }
            authority = Self.authority(of: try socket.sockname())
        }

        private static func listening(_ address: some SocketAddress) throws -> Socket {
            let socket = try Socket(domain: Int32(address.family), type: .stream)
            do {
                keepFromChildren(socket)
                try socket.setValue(true, for: .localAddressReuse)
                try socket.bind(to: address)
                try socket.listen(maxPendingConnection: 64)
            } catch {
                try? socket.close()
                throw error
            }
            return socket
        }

        private static func authority(of address: Socket.Address) -> String {
            switch address {
            case .ip4(let address, let port): "\(address):\(port)"
            case .ip6(let address, let port): "[\(address)]:\(port)"
            case .unix(let path): path
            }
        }

        // Programs that the process starts shall not hold the port.
        private static func keepFromChildren(_ socket: Socket) { _ = fcntl(socket.file.rawValue, F_SETFD, FD_CLOEXEC) }

        func close() { try? socket.close() }

        /// Serves connections until it is cancelled.
        func serve(_ site: AdminSite, _ options: AdminOptions, _ pool: some AsyncSocketPool) async throws {
            let listening = try AsyncSocket(socket: socket, pool: pool)
            let open = ConnectionCount()
            try await withThrowingDiscardingTaskGroup { connections in
                while true {
                    guard let socket = try await Self.next(on: listening) else { continue }
                    Self.keepFromChildren(socket.socket)
                    guard open.add(limit: options.maximumConnections) else {
                        try? socket.close()
                        continue
                    }
                    connections.addTask {
                        await AdminConnection(socket, site, options).serve()
                        open.remove()
                    }
                }
            }
        }

        // Nil when none could be had; without descriptors that goes on for a while.
        private static func next(on listening: AsyncSocket) async throws -> AsyncSocket? {
            do {
                return try await listening.accept()
            } catch {
                try Task.checkCancellation()
                try await Task.sleep(for: .milliseconds(100))
                return nil
            }
        }
    }

    /// How many connections there are.
    private final class ConnectionCount: Sendable {
        private let count = Mutex(0)

        func add(limit: Int) -> Bool {
            count.withLock { count in
                guard count < limit else { return false }
                count += 1
                return true
            }
        }

        func remove() { count.withLock { $0 -= 1 } }
    }
#endif
