// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import Foundation

/// A pair of metadata on the command line: `key: value`; the value of a `-bin` key is base64.
struct HeaderArgument: ExpressibleByArgument, Sendable {
    let key: String
    let value: Metadata.Content

    init?(argument: String) {
        guard let colon = argument.firstIndex(of: ":"), colon != argument.startIndex else { return nil }
        key = argument[..<colon].trimmingCharacters(in: .whitespaces).lowercased()
        let text = argument[argument.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        guard !key.isEmpty, key.utf8.allSatisfy(Self.isKey) else { return nil }
        if key.hasSuffix("-bin") {
            guard let data = Data(base64Encoded: Self.padded(text)) else { return nil }
            value = .binary([UInt8](data))
        } else {
            guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else { return nil }
            value = .ascii(text)
        }
    }

    // On the wire base64 comes without its padding, too.
    private static func padded(_ text: String) -> String {
        text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    }

    private static func isKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }
}

extension Metadata {
    init(_ headers: [HeaderArgument]) {
        self.init()
        for header in headers {
            switch header.value {
            case .ascii(let text): add(header.key, text)
            case .binary(let bytes): add(header.key, binary: bytes)
            }
        }
    }

    /// The pairs as `-H` takes them.
    var lines: [String] {
        entries.map { entry in
            switch entry.value {
            case .ascii(let text): "\(entry.key): \(Screen.harmless(text))"
            case .binary(let bytes): "\(entry.key): \(Data(bytes).base64EncodedString())"
            }
        }
    }
}
