// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusJWT

struct CompactTokenTests {
    private func coded(_ text: String) -> String {
        let bytes = Base64.encode(Array(text.utf8)).map { byte in
            byte == UInt8(ascii: "+") ? UInt8(ascii: "-") : byte == UInt8(ascii: "/") ? UInt8(ascii: "_") : byte
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func token(_ header: String, _ claims: String = "{}", _ signature: String = "AQ") -> String {
        "\(coded(header)).\(coded(claims)).\(signature)"
    }

    private func problem(_ text: String) -> JWTProblem? {
        do throws(JWTProblem) {
            _ = try CompactToken(text)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a token is taken apart`() throws {
        let text = token(#"{"alg": "ES256", "kid": "k1", "typ": "JWT"}"#, #"{"sub": "ada", "exp": 9}"#, "AQID")
        let token = try CompactToken(text)
        #expect(token.algorithm == "ES256" && token.keyID == "k1")
        #expect(token.claims == ["sub": .string("ada"), "exp": .number(9)])
        #expect(token.signature == [1, 2, 3])
        #expect(
            String(decoding: token.signed, as: UTF8.self) == text.split(separator: ".").prefix(2).joined(separator: ".")
        )
    }

    @Test func `the token of RFC 7515's appendix is read`() throws {
        let text =
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
            + "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let token = try CompactToken(text)
        #expect(token.algorithm == "HS256" && token.keyID == nil && token.signature.count == 32)
        #expect(token.claims["exp"] == .number(1_300_819_380))
    }

    @Test(arguments: [
        "", ".", "..", "...", "a.b.c", "e30.e30.AQ", "e30.e30", "e30.e30.AQ.AQ", "e30.e30.A", "e30.e30.AQ==",
        "e30.e30.A+", "W10.e30.AQ", "eyJhbGciOiJub25lIn0.W10.AQ",
    ])
    func `what is no token is malformed`(text: String) { #expect(problem(text) == .malformed) }

    @Test func `headers that this reader cannot answer for are refused`() {
        #expect(problem(token(#"{"alg": 7}"#)) == .malformed)
        #expect(problem(token(#"{"alg": "ES256", "kid": 7}"#)) == .malformed)
        #expect(problem(token(#"{"alg": "ES256", "alg": "none"}"#)) == .malformed)
        #expect(problem(token(#"{"alg": "ES256", "crit": ["b64"], "b64": false}"#)) == .critical)
        #expect(problem(token(#"{"alg": "ES256"}"#, "7")) == .malformed)
        #expect(
            problem(token(#"{"alg": "ES256"}"#, #"{"sub": "\#(String(repeating: "a", count: 20_000))"}"#)) == .malformed
        )
    }

    @Test func `ten thousand random changes of a token are read or refused, and trap nothing`() {
        let random = SplitMixRandom(seed: 5)
        let good = Array(token(#"{"alg": "ES256", "kid": "k1"}"#, #"{"sub": "ada", "aud": ["a", "b"]}"#, "AQID").utf8)
        var refused = 0
        for _ in 0..<10_000 {
            var bytes = good
            for _ in 0...random.index(below: 4) {
                let place = random.index(below: bytes.count)
                switch random.index(below: 3) {
                case 0: bytes[place] = UInt8(random.index(below: 128))
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8(ascii: "."), at: place)
                }
            }
            if problem(String(decoding: bytes, as: UTF8.self)) != nil { refused += 1 }
        }
        #expect((5_000..<10_000).contains(refused))
    }
}
