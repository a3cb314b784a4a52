// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import Testing

@testable import ApusJWT

struct JWTRulesTests {
    private let now = 1_000_000.0
    private let rules = JWTRules(issuer: "login", audience: "shop")
    private let good: [String: JSON] = [
        "iss": .string("login"), "aud": .string("shop"), "sub": .string("ada"), "exp": .number(1_000_100),
    ]

    private func outcome(_ claims: [String: JSON], _ rules: JWTRules? = nil) -> Result<Principal, JWTProblem> {
        do throws(JWTProblem) {
            return .success(try (rules ?? self.rules).principal(claims, at: now))
        } catch {
            return .failure(error)
        }
    }

    private func problem(_ changes: [String: JSON?], _ rules: JWTRules? = nil) -> JWTProblem? {
        var claims = good
        for (key, value) in changes { claims[key] = value }
        if case .failure(let problem) = outcome(claims, rules) { return problem }
        return nil
    }

    @Test func `a good token's subject is the principal, and its claims are the attributes`() throws {
        var claims = good
        claims["admin"] = .bool(true)
        claims["roles"] = .array([.string("a"), .string("b")])
        let principal = try outcome(claims).get()
        #expect(principal.name == "ada")
        #expect(principal.attributes["iss"] == "login" && principal.attributes["exp"] == "1000100")
        #expect(principal.attributes["admin"] == "true" && principal.attributes["roles"] == #"["a", "b"]"#)
    }

    @Test func `times count with the leeway`() {
        #expect(problem(["exp": .number(now - 59.5)]) == nil)
        #expect(problem(["exp": .number(now - 60)]) == .expired)
        #expect(problem(["nbf": .number(now + 60)]) == nil)
        #expect(problem(["nbf": .number(now + 60.5)]) == .notYetValid)
        let strict = JWTRules(issuer: nil, audience: nil, leeway: .seconds(-5))
        #expect(problem(["exp": .number(now)], strict) == .expired)
        #expect(problem(["exp": .number(now + 0.5), "nbf": .number(now)], strict) == nil)
        #expect(problem(["exp": .string("later")]) == .malformed)
        #expect(problem(["nbf": .null]) == .malformed)
        #expect(problem(["exp": .number(1e300), "nbf": .number(-1e300)]) == nil)
    }

    @Test func `a token without an end is refused, unless the rules say otherwise`() {
        #expect(problem(["exp": nil]) == .noExpiration)
        var rules = rules
        rules.requiresExpiration = false
        #expect(problem(["exp": nil], rules) == nil)
    }

    @Test func `issuer and audience must be the server's, when it has some`() {
        #expect(problem(["iss": .string("Login")]) == .issuer)
        #expect(problem(["iss": nil]) == .issuer)
        #expect(problem(["aud": .array([.string("other"), .string("shop")])]) == nil)
        #expect(problem(["aud": .array([.string("other"), .number(7)])]) == .audience)
        #expect(problem(["aud": nil]) == .audience)
        #expect(problem(["aud": nil, "iss": nil], JWTRules(issuer: nil, audience: nil)) == nil)
    }

    @Test func `the name comes from the claim that the rules say`() throws {
        #expect(problem(["sub": nil]) == .noName)
        #expect(problem(["sub": .string("")]) == .noName)
        #expect(problem(["sub": .number(7)]) == .noName)
        var rules = rules
        rules.nameClaim = "email"
        #expect(problem([:], rules) == .noName)
        var claims = good
        claims["email"] = .string("ada@example")
        #expect(try outcome(claims, rules).get().name == "ada@example")
    }

    @Test func `algorithms that are not known, or not allowed, are none`() {
        for name in ["none", "None", "HS256", "es256", "", "RSA-OAEP"] { #expect(!rules.allows(name)) }
        let one = JWTRules(issuer: nil, audience: nil, algorithms: [.es256])
        #expect(one.allows("ES256") && !one.allows("RS256") && rules.allows("RS256"))
    }

    @Test func `over ten thousand random tokens those are accepted that hold all rules`() {
        let random = SplitMixRandom(seed: 12)
        var accepted = 0
        for _ in 0..<10_000 {
            let (end, start) = (random.index(below: 400) - 200, random.index(below: 400) - 200)
            let isIssuer = random.index(below: 4) > 0
            let audiences = ["a", "shop", "b"].filter { _ in random.index(below: 2) == 0 }
            let claims: [String: JSON] = [
                "iss": .string(isIssuer ? "login" : "other"), "aud": .array(audiences.map { .string($0) }),
                "sub": .string("ada"), "exp": .number(now + Double(end)), "nbf": .number(now + Double(start)),
            ]
            let isGood = end > -60 && start <= 60 && isIssuer && audiences.contains("shop")
            if case .success = outcome(claims) { accepted += 1 }
            let isAccepted = (try? outcome(claims).get()) != nil
            #expect(isAccepted == isGood)
        }
        #expect((500..<9_500).contains(accepted))
    }

    @Test func `every refusal says why, and has a text of its own`() {
        let texts = JWTProblem.allCases.map(\.error.message)
        #expect(Set(texts).count == texts.count)
        #expect(JWTProblem.allCases.allSatisfy { $0.error.code == .unauthenticated })
    }
}
