// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import PasswordHash

@Suite struct PasswordHashTests {
    @Test func `the password that was hashed matches and another does not`() throws {
        let hash = try PasswordHash(of: "correct horse", cost: .test)
        #expect(try hash.matches("correct horse"))
        #expect(try !hash.matches("correct horsf"))
        #expect(try !hash.matches(""))
    }

    @Test func `what follows a zero byte counts`() throws {
        let hash = try PasswordHash(of: "same\0one", cost: .test)
        #expect(try hash.matches("same\0one"))
        #expect(try !hash.matches("same\0two"))
    }

    @Test func `two hashes of one password differ by their salt`() throws {
        let first = try PasswordHash(of: "secret", cost: .test)
        let second = try PasswordHash(of: "secret", cost: .test)
        #expect(first.salt != second.salt)
        #expect(first.key != second.key)
    }

    @Test func `the standard cost stands in the stored form and comes back from it`() throws {
        let hash = try PasswordHash(of: "secret")
        let stored = hash.description
        #expect(stored.hasPrefix("scrypt:N=16384,r=8,p=1:"))
        #expect(stored.utf8.count == "scrypt:N=16384,r=8,p=1:".utf8.count + 32 + 1 + 64)
        let read = try #require(PasswordHash(stored))
        #expect(read == hash)
        #expect(try read.matches("secret"))
    }

    // The key is what Python's hashlib.scrypt makes of the same password, salt and cost.
    @Test func `other implementations of scrypt make the same hash`() throws {
        let salt = "536f6469756d43686c6f726964650000"
        let key = "f7d2bd1befac5a5bd950e569afa233d06ab554e25b451d4027f2142013beaea3"
        let stored = "scrypt:N=16384,r=8,p=1:\(salt):\(key)"
        #expect(try #require(PasswordHash(stored)).matches("pleaseletmein"))
    }

    @Test(arguments: [
        "", "scrypt", "scrypt:N=16384,r=8,p=1", "bcrypt:N=16,r=1,p=1:%S:%K", "scrypt:N=17,r=1,p=1:%S:%K",
        "scrypt:N=0,r=1,p=1:%S:%K", "scrypt:N=99999999999999999999,r=1,p=1:%S:%K", "scrypt:N=2097152,r=8,p=1:%S:%K",
        "scrypt:N=16,r=0,p=1:%S:%K", "scrypt:N=16,r=1,p=17:%S:%K", "scrypt:r=1,N=16,p=1:%S:%K",
        "scrypt:N=16,r=1,p=1:00:%K", "scrypt:N=16,r=1,p=1:%S:00", "scrypt:N=16,r=1,p=1:%S:%K:",
        "scrypt:N=16,r=1,p=1:%S:zz", "scrypt:N=16,r=1,p=1:%S:0",
    ])
    func `a stored form that is damaged is refused`(form: String) {
        let salt = String(repeating: "ab", count: 16)
        let key = String(repeating: "cd", count: 32)
        let stored = form.split(separator: "%", omittingEmptySubsequences: false).enumerated().map { index, part in
            index == 0 ? String(part) : (part.hasPrefix("S") ? salt : key) + part.dropFirst()
        }.joined()
        #expect(PasswordHash(stored) == nil)
        #expect(PasswordHash("scrypt:N=16,r=1,p=1:\(salt):\(key)") != nil)
    }

    @Test func `a token's digest is that of its text and two tokens differ`() throws {
        let token = try SecretToken()
        #expect(token.text.utf8.count == 64)
        #expect(try SecretToken().text != token.text)
        #expect(try SecretToken(shown: token.text).digest() == token.digest())
        #expect(
            try SecretToken(shown: "abc").digest()
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
