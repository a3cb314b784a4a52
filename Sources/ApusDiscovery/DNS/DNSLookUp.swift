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
/// answer. An empty answer says that the name has none.
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
    package static func asking(_ servers: [NameServer] = [], timeout: Duration? = nil) -> DNSLookUp {
        DNSLookUp(
            services: { name in
                await answers(name, .srv, servers, timeout).map { contents in
                    contents.compactMap { if case .service(let record) = $0 { record } else { nil } }
                }
            },
            texts: { name in
                await answers(name, .txt, servers, timeout).map { contents in
                    contents.compactMap { if case .text(let bytes) = $0 { bytes } else { nil } }
                }
            })
    }

    private typealias Answers = Result<[DNSRecord.Content], RPCError>

    private static func answers(
        _ name: String, _ type: DNSQuestion.RecordType, _ servers: [NameServer], _ timeout: Duration?
    ) async -> Answers {
        guard let domain = DomainName(name) else {
            return .failure(failure(name, type, "this is no name"))
        }
        return await withUnsafeContinuation { continuation in
            let question = DNSQuestion(name: domain, type: type)
            let isStarted = startThread {
                continuation.resume(
                    returning: ask(question, servers, timeout).mapError { failure(name, type, $0.reason) })
            }
            guard !isStarted else { return }
            continuation.resume(returning: .failure(failure(name, type, "there can be no other thread")))
        }
    }

    private static func failure(_ name: String, _ type: DNSQuestion.RecordType, _ reason: String) -> RPCError {
        RPCError(.unavailable, "look up \(type) of \(name): \(reason)", progress: .notConnected)
    }

    private static func ask(
        _ question: DNSQuestion, _ servers: [NameServer], _ timeout: Duration?
    ) -> Result<[DNSRecord.Content], DNSSocketError> {
        let file = ResolverFile.present
        let servers = servers.isEmpty ? file.servers.map { NameServer(host: $0) } : servers
        let timeout = timeout ?? .seconds(file.timeout)
        var query = DNSQuery(question, servers: servers.count, attempts: file.attempts, id: newID())
        var step = query.first
        while case .ask(let attempt) = step {
            do throws(DNSSocketError) {
                step = try exchange(&query, with: servers[attempt.server], overTCP: attempt.usesTCP, timeout)
            } catch {
                step = query.failed("\(servers[attempt.server].host): \(error.reason)", nextID: newID())
            }
        }
        guard case .answered(let contents) = step else {
            guard case .failed(let reason) = step else { return .success([]) }
            return .failure(DNSSocketError(reason))
        }
        return .success(contents)
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
