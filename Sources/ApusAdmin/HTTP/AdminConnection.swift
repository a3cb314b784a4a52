// SPDX-License-Identifier: Apache-2.0

#if Admin
    import FlyingSocks

    #if canImport(FoundationEssentials)
        import FoundationEssentials
    #else
        import Foundation
    #endif

    /// One connection to the admin page: one request and its answer.
    struct AdminConnection: Sendable {
        private let socket: AsyncSocket
        private let site: AdminSite
        private let options: AdminOptions

        init(_ socket: AsyncSocket, _ site: AdminSite, _ options: AdminOptions) {
            self.socket = socket
            self.site = site
            self.options = options
        }

        /// Serves the connection to its end.
        func serve() async {
            // Whatever goes wrong with a peer, its connection ends.
            try? await exchange()
            try? socket.close()
        }

        private func exchange() async throws {
            let outcome: RequestReader.Outcome
            do {
                outcome = try await Self.within(options.patience) { try await request() }
            } catch is TooSlow {
                outcome = .refused(.requestTimeout)
            }
            switch outcome {
            case .more: return
            case .refused(let status): try await send(AdminAnswer(status).bytes())
            case .request(let head): try await answer(head)
            }
        }

        private func request() async throws -> RequestReader.Outcome {
            var reader = RequestReader()
            while true {
                let outcome = reader.receive(try await socket.read(atMost: 4096))
                if outcome != .more { return outcome }
            }
        }

        private func answer(_ head: RequestHead) async throws {
            switch site.reply(to: head) {
            case .answer(let answer): try await send(answer.bytes(headOnly: head.method == "HEAD"))
            case .events: try await sendEvents()
            }
        }

        private func sendEvents() async throws {
            guard site.addListener() else {
                return try await send(AdminAnswer(.unavailable, because: "enough others read the events").bytes())
            }
            defer { site.removeListener() }
            try await send(AdminAnswer.head(.ok, AdminAnswer.events))
            while true {
                try await send(AdminAnswer.event(site.snapshotText))
                try await Task.sleep(for: options.interval)
            }
        }

        private func send(_ bytes: [UInt8]) async throws {
            try await Self.within(options.patience) { try await socket.write(Data(bytes)) }
        }

        private struct TooSlow: Error {}

        private static func within<Value: Sendable>(
            _ time: Duration, _ body: @escaping @Sendable () async throws -> Value
        ) async throws -> Value {
            try await withThrowingTaskGroup(of: Value.self) { tasks in
                tasks.addTask { try await body() }
                tasks.addTask {
                    try await Task.sleep(for: time)
                    throw TooSlow()
                }
                defer { tasks.cancelAll() }
                guard let value = try await tasks.next() else { throw TooSlow() }
                return value
            }
        }
    }
#endif
