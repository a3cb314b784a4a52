// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusJWT
import Foundation
import JWTKit
import SecurityDemo
import Testing

@Suite(.timeLimit(.minutes(5))) struct JWTAuthenticatorTests {
    private static let now = 1_800_000_000.0

    private func claims(_ more: [String: Any] = [:]) -> [String: Any] {
        let good: [String: Any] = [
            "iss": "login", "aud": "vault", "sub": "ada", "exp": Self.now + 60, "role": "keeper",
        ]
        return good.merging(more) { $1 }
    }

    private func tokens(
        _ keys: String, allowing algorithms: Set<JWTRules.Algorithm> = Set(JWTRules.Algorithm.allCases)
    ) async throws -> JWTAuthenticator {
        let rules = JWTRules(issuer: "login", audience: "vault", algorithms: algorithms, leeway: .zero)
        return try await JWTAuthenticator(keys: keys, rules) { Self.now }
    }

    /// Who the token is of, or why it is not accepted.
    private func outcome(_ token: String, _ tokens: JWTAuthenticator) async -> String {
        let call = ServerCallHead(
            method: Vault.open, metadata: ["authorization": "Bearer \(token)"], peer: .memory("client"))
        do {
            guard let principal = try await tokens.principal(of: call) else { return "nobody" }
            return principal.name
        } catch {
            let error = RPCError(wrapping: error)
            #expect(error.code == .unauthenticated)
            // No part of a token, as it might be a good one elsewhere.
            #expect(!error.message.contains(token.suffix(20)))
            return error.message
        }
    }

    private let unknownKey = "the bearer token is signed with a key that this server does not know"
    private let badSignature = "the bearer token has a signature that is not right"
    private let badAlgorithm = "the bearer token is signed by an algorithm that this server does not allow"
    private let malformed = "the bearer token is no JSON Web Token that can be read"

    @Test func `tokens of all kinds of keys are verified`() async throws {
        let issuers = try await [
            Issuer.es256("a"), .edDSA("b"), .rsa("c"), .rsa("d", pss: true), .rsa("e", .sha512),
        ]
        let tokens = try await tokens(Issuer.keySet(issuers))
        for issuer in issuers {
            #expect(await outcome(try issuer.token(claims()), tokens) == "ada")
            #expect(
                await outcome(try issuer.token(claims(["exp": Self.now])), tokens) == "the bearer token has expired")
        }
    }

    @Test func `a signature by somebody else, or of something else, is not right`() async throws {
        let (good, bad) = try await (Issuer.es256("a"), Issuer.es256("a"))
        let tokens = try await tokens(Issuer.keySet([good]))
        #expect(await outcome(try bad.token(claims()), tokens) == badSignature)
        let (first, second) = (try good.token(claims()), try good.token(claims(["sub": "bob"])))
        let (left, right) = (first.split(separator: "."), second.split(separator: "."))
        #expect(await outcome("\(left[0]).\(right[1]).\(left[2])", tokens) == badSignature)
        #expect(await outcome("\(left[0]).\(left[1]).AQID", tokens) == badSignature)
        #expect(await outcome("\(left[0]).\(left[1]).", tokens) == badSignature)
        #expect(await outcome("\(left[0]).\(left[1])", tokens) == malformed)
    }

    @Test func `no token chooses how it is verified`() async throws {
        let (issuer, rsa) = try await (Issuer.es256("a"), Issuer.rsa("b"))
        let keys = try Issuer.keySet([issuer, rsa])
        let all = try await tokens(keys)
        #expect(await outcome(try issuer.token(claims(), header: ["alg": "none"]), all) == badAlgorithm)
        // The key that everybody knows, used as a secret.
        let forger = try await Issuer.secret(Array(keys.utf8))
        #expect(await outcome(try forger.token(claims(), header: ["kid": "b"]), all) == badAlgorithm)
        #expect(await outcome(try issuer.token(claims(), header: ["alg": "RS256"]), all) == unknownKey)
        let some = try await tokens(keys, allowing: [.rs256])
        #expect(await outcome(try issuer.token(claims()), some) == badAlgorithm)
        #expect(await outcome(try rsa.token(claims()), some) == "ada")
    }

    @Test func `keys are found by their names, or all are tried`() async throws {
        let (first, second, unnamed) = try await (Issuer.es256("a"), Issuer.es256("b"), Issuer.es256())
        let tokens = try await tokens(Issuer.keySet([first, second]))
        #expect(await outcome(try second.token(claims()), tokens) == "ada")
        #expect(await outcome(try second.token(claims(), header: ["kid": "a"]), tokens) == badSignature)
        #expect(await outcome(try second.token(claims(), header: ["kid": "x"]), tokens) == unknownKey)
        #expect(await outcome(try unnamed.token(claims()), tokens) == badSignature)
        let more = try await self.tokens(Issuer.keySet([first, unnamed]))
        #expect(await outcome(try unnamed.token(claims()), more) == "ada")
        #expect(await outcome(try unnamed.token(claims(), header: ["kid": "new"]), more) == "ada")
    }

    @Test func `a token without a key's name is tried with four keys and no more`() async throws {
        var issuers: [Issuer] = []
        for name in ["a", "b", "c", "d", "e"] { issuers.append(try await Issuer.es256(name)) }
        let tokens = try await tokens(Issuer.keySet(issuers))
        let (fourth, fifth) = (issuers[3], issuers[4])
        #expect(await outcome(try fourth.token(claims(), isNamed: false), tokens) == "ada")
        #expect(await outcome(try fifth.token(claims(), isNamed: false), tokens) == badSignature)
        #expect(await outcome(try fifth.token(claims()), tokens) == "ada")
    }

    @Test func `keys that are for something else are passed over, and a set without others is refused`() async throws {
        let issuer = try await Issuer.es256("a")
        let small = try await Issuer.careless("s")
        for keys in [
            try Issuer.keySet([issuer], adding: ["use": "enc"]), try Issuer.keySet([issuer], adding: ["alg": "ES384"]),
            try Issuer.keySet([small]), #"{"keys": [{"kty": "oct", "k": "AQID"}, {"kty": "new"}, 7]}"#,
            #"{"keys": []}"#,
            "[]", "", "{",
        ] {
            let error = await #expect(throws: RPCError.self) { try await tokens(keys) }
            #expect(error?.code == .invalidArgument)
        }
        let mixed = try await tokens(Issuer.keySet([small, issuer]))
        #expect(await outcome(try issuer.token(claims()), mixed) == "ada")
        #expect(await outcome(try small.token(claims()), mixed) == unknownKey)
    }

    @Test func `new keys are in force for the next call, and bad ones leave those that are`() async throws {
        let (old, new) = try await (Issuer.es256("old"), Issuer.edDSA("new"))
        let tokens = try await tokens(Issuer.keySet([old]))
        await #expect(throws: RPCError.self) { try await tokens.replace(keys: "{}") }
        #expect(await outcome(try old.token(claims()), tokens) == "ada")
        try await tokens.replace(keys: Issuer.keySet([new]))
        #expect(await outcome(try old.token(claims()), tokens) == unknownKey)
        #expect(await outcome(try new.token(claims()), tokens) == "ada")
    }

    @Test func `over real connections a policy and a handler see whose token it is`() async throws {
        let issuer = try await Issuer.es256("a")
        let server = try Vault.server(tokens: try await tokens(Issuer.keySet([issuer])), letting: ["ada"])
        let network = InMemoryNetwork()
        let running = try network.start(server, as: "vault")
        func ask(_ token: String?) async throws(RPCError) -> String {
            let credentials: [any ClientInterceptor] = token.map { [CallCredentials(token: $0)] } ?? []
            let channel = Channel(
                "vault", interceptors: credentials + [PinnedEndpoint(Endpoint(.memory("vault")))],
                transport: network.transport())
            defer { channel.close() }
            let response = try await channel.start(Vault.open, .one(MessageBytes([])))
            guard case .one(let bytes, _) = response.body else { return "" }
            return String(decoding: bytes.bytes, as: UTF8.self)
        }
        func failure(_ token: String?) async -> Status.Code? {
            do {
                _ = try await ask(token)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(try await ask(issuer.token(claims())) == "ada, keeper")
        #expect(await failure(try issuer.token(claims(["sub": "bob"]))) == .permissionDenied)
        #expect(await failure(try issuer.token(claims(["aud": "shop"]))) == .unauthenticated)
        #expect(await failure("x") == .unauthenticated)
        #expect(await failure(nil) == .unauthenticated)
        await running.stop(grace: .seconds(10))
        #expect(running.counts.connections == 0 && running.counts.handlers == 0)
    }
}
