// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import Testing

/// Clients that show certificates, and who their server takes them for.
@Suite struct TLSIdentityTests {
    /// Tells clients who they are, as the handler and an interceptor in front of it see it.
    struct WhoAmI: Service, ServerInterceptor {
        static let ask = BytesMethod(service: "test.Who", name: "AmI", kind: .unary)

        var routes: [Route] {
            [.unary(Self.ask) { _, call in MessageBytes(call.peerIdentity.map { "\($0)" } ?? "nobody") }]
        }

        func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
            call.setTrailers(["x-names": call.peerIdentity?.names.dns.joined(separator: " ") ?? ""])
            return try await next(call)
        }
    }

    let setup: SecureSetup
    let clients: TLSTestAuthority

    init() throws {
        setup = try SecureSetup()
        clients = try TLSTestAuthority("clients")
    }

    private func ask(
        _ policy: ServerTLS.ClientCertificates, _ certificate: TLSCertificate?, times: Int = 1
    ) async throws -> (who: String, names: String?) {
        var serverOptions = ServerOptions()
        serverOptions.tls = setup.server
        serverOptions.tls?.clients = policy
        var clientOptions = TransportOptions()
        clientOptions.tls = setup.client
        clientOptions.tls?.certificate = certificate
        let network = InMemoryNetwork()
        let running = try network.start(
            Server([WhoAmI()], interceptors: [WhoAmI()]), as: "echo", options: serverOptions)
        let channel = Channel(
            "echo", interceptors: [ToEndpoint(.memory("echo"))], transport: network.transport(options: clientOptions))
        defer {
            channel.close()
            running.stopNow()
        }
        let answer = try await channel.unary(WhoAmI.ask, MessageBytes(""))
        return (answer.message.text, answer.trailers["x-names"])
    }

    private func refusal(_ policy: ServerTLS.ClientCertificates, _ certificate: TLSCertificate?) async -> RPCError? {
        await #expect(throws: RPCError.self) { _ = try await ask(policy, certificate) }
    }

    @Test func `a client with a certificate is known by it`() async throws {
        let certificate = try clients.issue(commonName: "ada", dns: ["ada.example", "b.example"])
        let (who, names) = try await ask(.required(clients.roots), certificate)
        #expect(who == "CN=ada")
        #expect(names == "ada.example b.example")
    }

    @Test func `a SPIFFE identity is one`() async throws {
        let certificate = try clients.issue(uri: ["spiffe://example.org/users"])
        #expect(try await ask(.required(clients.roots), certificate).who == "spiffe://example.org/users")
    }

    @Test func `two URIs are no SPIFFE identity`() async throws {
        let certificate = try clients.issue(commonName: "two", uri: ["spiffe://a/b", "spiffe://a/c"])
        #expect(try await ask(.required(clients.roots), certificate).who == "CN=two")
    }

    @Test func `an optional certificate may be shown or not`() async throws {
        #expect(try await ask(.optional(clients.roots), nil).who == "nobody")
        let certificate = try clients.issue(commonName: "ada")
        #expect(try await ask(.optional(clients.roots), certificate).who == "CN=ada")
    }

    @Test func `a server that asks for none knows nobody`() async throws {
        #expect(try await ask(.ignored, try clients.issue()).who == "nobody")
    }

    @Test func `a client without the certificate that is asked for learns so`() async throws {
        let error = await refusal(.required(clients.roots), nil)
        #expect(error?.code == .unavailable)
        #expect(error?.message == "memory:echo: the server asks for a certificate and got none")
    }

    @Test func `a certificate of another authority is refused, optional or not`() async throws {
        let certificate = try setup.authority.issue(commonName: "eve")
        for policy in [ServerTLS.ClientCertificates.optional(clients.roots), .required(clients.roots)] {
            let error = await refusal(policy, certificate)
            #expect(error?.code == .unavailable)
            let message = error?.message
            #expect(
                message
                    == "memory:echo: the server does not trust the authority that signed this side's certificate")
        }
    }

    @Test func `an expired certificate is refused`() async throws {
        let certificate = try clients.issue(from: .seconds(-7200), for: .seconds(3600))
        let error = await refusal(.required(clients.roots), certificate)
        #expect(error?.message == "memory:echo: the server says that this side's certificate has expired")
    }

    @Test func `a resumed session keeps its identity`() throws {
        var options = setup
        options.server.clients = .required(clients.roots)
        options.client.certificate = try clients.issue(commonName: "ada")
        let loop = ManualLoop()
        let acceptor = try TLSAcceptor(options.server)
        let connector = try TLSConnector(options.client)
        for isResumed in [false, true] {
            let client = try SecureEnd(connector, on: loop)
            let server = try SecureEnd(acceptor, on: loop)
            SecureEnd.relay(client, server)
            #expect(server.io.isResumed == isResumed)
            #expect(server.io.peerIdentity?.commonName == "ada")
            #expect(server.io.peerIdentity?.fingerprint.count == 64)
        }
    }
}
