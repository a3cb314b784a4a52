// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// A name server to be asked.
package struct NameServer: Sendable, Hashable {
    let host: String
    let port: Int

    init(host: String, port: Int = 53) {
        self.host = host
        self.port = port
    }

    /// Those of a list; a Unix socket is none.
    static func all(_ addresses: [Endpoint.Address]) -> [NameServer] {
        addresses.compactMap { address in
            guard case .host(let host, let port) = address else { return nil }
            return NameServer(host: host, port: port)
        }
    }
}

/// Asks name servers for services and texts, which the system's resolver does not tell: a value, so that tests can
/// answer. An empty answer says that the name has none; UNIMPLEMENTED, that no server answers such questions.
package struct DNSLookUp: Sendable {
    package let services: @Sendable (_ name: String) async -> Result<[ServiceRecord], RPCError>
    package let texts: @Sendable (_ name: String) async -> Result<[[UInt8]], RPCError>

    package init(
        services: @escaping @Sendable (_ name: String) async -> Result<[ServiceRecord], RPCError>,
        texts: @escaping @Sendable (_ name: String) async -> Result<[[UInt8]], RPCError>
    ) {
        self.services = services
        self.texts = texts
    }

    /// Asks these servers, or those of /etc/resolv.conf, which is read anew each time. Each question has a thread of
    /// its own.
    ///
    /// - Parameters:
    ///   - servers: none for those of the file.
    ///   - timeout: what a server has for its answer; nil for what the file says.
    ///   - total: what all servers have, of which each has its share. A call that waits for discovery is to find the
    ///     addresses in time that stand in for services.
    package static func asking(
        _ servers: [NameServer] = [], timeout: Duration? = nil, total: Duration = .seconds(2)
    ) -> DNSLookUp {
        let patience = Patience(timeout: timeout, total: total)
        return DNSLookUp(
            services: { name in
                await answers(name, .srv, servers, patience).map { contents in
                    contents.compactMap { if case .service(let record) = $0 { record } else { nil } }
                }
            },
            texts: { name in
                await answers(name, .txt, servers, patience).map { contents in
                    contents.compactMap { if case .text(let bytes) = $0 { bytes } else { nil } }
                }
            })
    }

    private struct Patience: Sendable {
        let timeout: Duration?
        let total: Duration
    }

    private typealias Answers = Result<[DNSRecord.Content], RPCError>

    private static func answers(
        _ name: String, _ type: DNSQuestion.RecordType, _ servers: [NameServer], _ patience: Patience
    ) async -> Answers {
        guard let domain = DomainName(name) else {
            // Nobody can have records of it.
            return .failure(failure(name, type, DNSSocketError("this is no name", isRefusal: true)))
        }
        return await withUnsafeContinuation { continuation in
            let question = DNSQuestion(name: domain, type: type)
            let isStarted = startThread {
                continuation.resume(
                    returning: ask(question, servers, patience).mapError { failure(name, type, $0) })
            }
            guard !isStarted else { return }
            continuation.resume(
                returning: .failure(failure(name, type, DNSSocketError("there can be no other thread"))))
        }
    }

    private static func failure(_ name: String, _ type: DNSQuestion.RecordType, _ error: DNSSocketError) -> RPCError {
        RPCError(
            error.isRefusal ? .unimplemented : .unavailable, "look up \(type) of \(name): \(error.reason)",
            progress: .notConnected)
    }

    private static func ask(
        _ question: DNSQuestion, _ servers: [NameServer], _ patience: Patience
    ) -> Result<[DNSRecord.Content], DNSSocketError> {
        let file = ResolverFile.present
        let servers = servers.isEmpty ? file.servers.map { NameServer(host: $0) } : servers
        let timeout = patience.timeout ?? .seconds(file.timeout)
        let clock = SystemClock()
        let end = clock.now.advanced(by: patience.total)
        var query = DNSQuery(question, servers: servers.count, attempts: file.attempts, id: newID())
        var step = query.first
        while case .ask(let attempt) = step {
            let share = max(.zero, clock.now.duration(to: end)) / max(1, query.triesLeft)
            let timeout = min(timeout, share)
            do throws(DNSSocketError) {
                step = try exchange(&query, with: servers[attempt.server], overTCP: attempt.usesTCP, timeout)
            } catch {
                step = query.failed("\(servers[attempt.server].host): \(error.reason)", nextID: newID())
            }
        }
        switch step {
        case .answered(let contents): return .success(contents)
        case .refused(let reason): return .failure(DNSSocketError(reason, isRefusal: true))
        case .failed(let reason): return .failure(DNSSocketError(reason))
        case .ask: return .success([])
        }
    }

    private static func exchange(
        _ query: inout DNSQuery, with server: NameServer, overTCP: Bool, _ timeout: Duration
    ) throws(DNSSocketError) -> DNSQuery.Step {
        let socket = try DNSSocket(to: server, overTCP: overTCP, timeout: timeout)
        try socket.send(query.message)
        while true {
            if let step = query.received(try socket.receive(), nextID: newID()) { return step }
        }
    }

    // Nobody may guess it: the system's generator.
    private static func newID() -> UInt16 { UInt16.random(in: .min ... .max) }
}
