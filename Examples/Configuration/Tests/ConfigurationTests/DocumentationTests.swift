// SPDX-License-Identifier: Apache-2.0

import ApusConfiguration
import Foundation
import Testing

struct DocumentationTests {
    @Test func `the article has the table that the code obeys`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../..")
        let path = root.appendingPathComponent("Sources/Apus/Documentation.docc/Configuration.md")
        if ProcessInfo.processInfo.environment["APUS_WRITE_SETTINGS"] != nil {
            let text = try String(contentsOf: path, encoding: .utf8)
            let head = text.components(separatedBy: "| key | value |")[0]
            try Data((head + Setting.markdown).utf8).write(to: path)
        }
        let article = try String(contentsOf: path, encoding: .utf8)
        #expect(article.hasSuffix("\n\n" + Setting.markdown), "write it anew: APUS_WRITE_SETTINGS=1 swift test")
    }
}
