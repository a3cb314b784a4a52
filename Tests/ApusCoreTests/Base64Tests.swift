// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@Suite struct Base64Tests {
    private static func encode(_ text: String) -> String {
        String(decoding: Base64.encode(Array(text.utf8)), as: UTF8.self)
    }

    private static func decode(_ text: String) -> [UInt8]? {
        Array(text.utf8).withUnsafeBytes(Base64.decode)
    }

    // RFC 4648, section 10.
    private static let vectors = [
        ("", "", ""), ("f", "Zg", "Zg=="), ("fo", "Zm8", "Zm8="), ("foo", "Zm9v", "Zm9v"),
        ("foob", "Zm9vYg", "Zm9vYg=="), ("fooba", "Zm9vYmE", "Zm9vYmE="), ("foobar", "Zm9vYmFy", "Zm9vYmFy"),
    ]

    @Test(arguments: vectors)
    func `it is written without padding and read with and without`(_ text: String, _ bare: String, _ padded: String) {
        #expect(Self.encode(text) == bare)
        #expect(Self.decode(bare) == Array(text.utf8))
        #expect(Self.decode(padded) == Array(text.utf8))
    }

    @Test(arguments: ["A", "Zm9vY", "Zm 9v", "Zm9v\n", "Zm-_", "Zg=g", "=", "Zg===", "====", "é", "Zm9v,Zm9v"])
    func `what is no base64 is refused`(_ text: String) {
        #expect(Self.decode(text) == nil)
    }

    @Test func `every length and byte comes back`() {
        let random = SplitMixRandom(seed: 11)
        for count in 0..<300 {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let text = Base64.encode(bytes)
            #expect(text.count == (count * 4 + 2) / 3)
            #expect(text.withUnsafeBytes(Base64.decode) == bytes)
        }
    }
}
