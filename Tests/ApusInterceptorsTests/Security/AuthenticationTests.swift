// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusInterceptors

struct AuthenticationTests {
    private struct Unlucky: Error {}

    private let tokens = BearerAuthenticator(tokens: [
        "secret-a": Principal(name: "ada"), "secret-b": Principal(name: "bob"),
    ])

    private func answer(_ call: ServerCall, _ interceptors: any ServerInterceptor...) async throws -> String {
        try await call.answered(by: interceptors) { _ in Principal.current?.name ?? "nobody" }
    }

    private func failure(_ call: ServerCall, _ interceptors: any ServerInterceptor...) async -> String {
        do {
            return try await call.answered(by: interceptors) { _ in "handled" }
        } catch {
            return "\(RPCError(wrapping: error).status)"
        }
    }

    @Test func `a handler sees whose token it was`() async throws {
        let call = ServerCall.made(["authorization": "Bearer secret-b"])
        #expect(try await answer(call, Authentication([tokens])) == "bob")
        #expect(try await answer(.made(["authorization": "bEARER  secret-a"]), Authentication([tokens])) == "ada")
        #expect(Principal.current == nil)
    }

    @Test func `a call without credentials, or with bad ones, is UNAUTHENTICATED`() async {
        let authentication = Authentication([tokens])
        #expect(await failure(.made(), authentication) == "UNAUTHENTICATED: the call has no credentials")
        let basic = ServerCall.made(["authorization": "Basic c2VjcmV0"])
        #expect(await failure(basic, authentication) == "UNAUTHENTICATED: the call has no credentials")
        for token in ["secret-c", "secret-a ", "secret-", "Bearer secret-a"] {
            let call = ServerCall.made(["authorization": "Bearer \(token)"])
            #expect(await failure(call, authentication) == "UNAUTHENTICATED: the bearer token is not valid")
        }
        let twice = ServerCall.made(["authorization": "Bearer secret-a", "authorization": "Bearer secret-b"])
        #expect(await failure(twice, authentication) == "UNAUTHENTICATED: a call has one authorization")
    }

    @Test func `what went wrong inside a verifier stays there`() async {
        let broken = BearerAuthenticator { _ in throw Unlucky() }
        let call = ServerCall.made(["authorization": "Bearer x"])
        #expect(await failure(call, Authentication([broken])) == "UNAUTHENTICATED: the credentials are not valid")
        let away = BearerAuthenticator { _ in throw RPCError(.unavailable, "accounts are away") }
        #expect(await failure(call, Authentication([away])) == "UNAVAILABLE: accounts are away")
    }

    @Test func `the first that knows the caller tells who it is`() async throws {
        var names = PeerIdentity.Names()
        names.uri = ["spiffe://example.org/orders"]
        let identity = PeerIdentity(subject: "CN=orders", names: names)
        let both = Authentication([CertificateAuthenticator(), tokens])
        let call = ServerCall.made(["authorization": "Bearer secret-a"], identity: identity)
        #expect(try await answer(call, both) == "spiffe://example.org/orders")
        #expect(try await answer(.made(["authorization": "Bearer secret-a"]), both) == "ada")
        #expect(try await answer(.made(identity: PeerIdentity(subject: "CN=plain")), both) == "CN=plain")
    }

    @Test func `open methods need no credentials`() async throws {
        let authentication = Authentication([tokens], open: ["/test.Service/*"])
        #expect(try await answer(.made(), authentication) == "nobody")
        let other = MethodDescriptor(service: "test.Other", name: "Unary", kind: .unary)
        #expect(await failure(.made(method: other), authentication).hasPrefix("UNAUTHENTICATED"))
    }

    /// Says of a call what the metadata at its key tells.
    private struct Scripted: Authenticator {
        let key: String

        func principal(of call: ServerCallHead) async throws -> Principal? {
            switch call.metadata[key] {
            case "knows": return Principal(name: key)
            case "refuses": throw RPCError(.permissionDenied, key)
            case "breaks": throw Unlucky()
            case "ends": throw CancellationError()
            default: return nil
            }
        }
    }

    @Test func `over ten thousand random calls the first that has something to say decides`() async {
        let random = SplitMixRandom(seed: 33)
        let keys = ["first", "second", "third"]
        let answers = ["none", "none", "none", "knows", "refuses", "breaks", "ends"]
        let authentication = Authentication(keys.map { Scripted(key: $0) }, open: ["/test.Open/*"])
        var seen: [String: Int] = [:]
        for _ in 0..<10_000 {
            let said = keys.map { _ in answers[random.index(below: answers.count)] }
            let isOpen = random.index(below: 10) == 0
            var metadata = Metadata()
            for (key, answer) in zip(keys, said) { metadata.add(key, answer) }
            let other = MethodDescriptor(service: "test.Open", name: "Unary", kind: .unary)
            let call = ServerCall.made(metadata, method: isOpen ? other : .unary)
            let place = said.firstIndex { $0 != "none" }
            let expected =
                switch isOpen ? "open" : place.map({ said[$0] }) {
                case "open": "nobody"
                case "knows": keys[place ?? 0]
                case "refuses": "PERMISSION_DENIED: \(keys[place ?? 0])"
                case "breaks": "UNAUTHENTICATED: the credentials are not valid"
                case "ends": "CANCELLED: the call ended while its credentials were looked at"
                default: "UNAUTHENTICATED: the call has no credentials"
                }
            var outcome = ""
            do { outcome = try await answer(call, authentication) } catch {
                outcome = "\(RPCError(wrapping: error).status)"
            }
            #expect(outcome == expected)
            seen[expected, default: 0] += 1
        }
        #expect(seen.count == 10 && seen.values.allSatisfy { $0 > 100 })
    }

    @Test func `over real connections each caller is who its token says`() async throws {
        try await Served.run(
            [{ _ in Principal.current?.name ?? "nobody" }],
            client: [CallCredentials(token: "secret-a"), Served.endpoints(1), RandomBalancer()],
            server: [
                Authentication([tokens]),
                Authorization(AuthorizationPolicy("p", allow: [.init("r", principals: ["ada"])])),
            ]
        ) { channel in
            let answer = try await channel.ask()
            #expect(answer == "ada")
        }
        try await Served.run(
            [{ _ in "handled" }], client: [CallCredentials(token: "x"), Served.endpoints(1), RandomBalancer()],
            server: [Authentication([tokens])]
        ) { channel in
            let error = await #expect(throws: RPCError.self) { try await channel.ask() }
            #expect(error?.code == .unauthenticated)
        }
    }
}
