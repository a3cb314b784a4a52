// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

@Suite struct StatusMessageEncodingTests {
    private static func encode(_ text: String) -> String {
        String(decoding: StatusMessageEncoding.encode(text), as: UTF8.self)
    }

    @Test(arguments: [
        ("", ""), ("plain text ~!#$&", "plain text ~!#$&"), ("100%", "100%25"), ("\t", "%09"), ("a\r\nb", "a%0D%0Ab"),
        ("\u{7f}", "%7F"), ("é", "%C3%A9"), ("中", "%E4%B8%AD"), ("🐦", "%F0%9F%90%A6"), ("%41", "%2541"), ("\0", "%00"),
    ])
    func `everything but printable ASCII without the percent sign is escaped`(_ text: String, _ encoded: String) {
        #expect(Self.encode(text) == encoded)
        #expect(encoded.onWire(StatusMessageEncoding.decode) == text)
    }

    @Test(arguments: [
        ("%", "%"), ("%4", "%4"), ("a%", "a%"), ("%zz", "%zz"), ("%4z", "%4z"), ("%%41", "%A"), ("%c3%a9", "é"),
        ("%C3", "\u{fffd}"), ("%FF%FE", "\u{fffd}\u{fffd}"), ("a%2", "a%2"), ("%41%", "A%"), ("é", "é"),
    ])
    func `what is no escape stands for itself and what is no UTF-8 is repaired`(_ encoded: String, _ text: String) {
        #expect(encoded.onWire(StatusMessageEncoding.decode) == text)
    }

    @Test func `decoding never fails, whatever the bytes`() {
        let random = SplitMixRandom(seed: 7)
        let letters = Array("%%%0123456789abcdefABCDEFxyz".utf8) + [0x00, 0x80, 0xc3, 0xff, 0xf0, 0x20]
        for _ in 0..<20_000 {
            let bytes = (0..<random.index(below: 12)).map { _ in letters[random.index(below: letters.count)] }
            let text = bytes.withUnsafeBytes(StatusMessageEncoding.decode)
            #expect(Self.encode(text).onWire(StatusMessageEncoding.decode) == text)
        }
    }
}
