// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import Testing

@Suite struct ManifestTests {
    /// The block behind `catalog.json: |` of the manifest's ConfigMap.
    static func document() throws -> [UInt8] {
        let file = URL(fileURLWithPath: #filePath).appending(path: "../../../../deploy/kubernetes/storefront.yaml")
        let lines = try String(contentsOf: file.standardizedFileURL, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0.hasSuffix("catalog.json: |") })
        let block = lines[(start + 1)...].prefix { $0.hasPrefix("    ") }
        return Array(block.joined(separator: "\n").utf8)
    }

    @Test func `the service config of the manifest comes into force`() throws {
        let config = LiveServiceConfig()
        try config.apply(try Self.document(), name: "storefront.yaml")
        #expect(config.current.methods.first?.timeout == .seconds(2))
        #expect(config.lastRefusal == nil)
    }
}
