// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension FuzzTarget: CustomTestStringConvertible {
    var testDescription: String { name }
}

@Suite struct CorpusTests {
    private func corpus(_ target: FuzzTarget) throws -> [URL] {
        let folder = try #require(Bundle.module.resourceURL).appending(path: "Corpora/\(target.name)")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    }

    @Test(arguments: FuzzTarget.all)
    func `bytes that a fuzzer found keep every rule`(_ target: FuzzTarget) throws {
        let files = try corpus(target)
        #expect(!files.isEmpty, "no corpus: run `make fuzz`")
        for file in files {
            let bytes = try [UInt8](Data(contentsOf: file))
            #expect(throws: Never.self, "\(file.lastPathComponent)") {
                try bytes.withUnsafeBytes { try target.run($0) }
            }
        }
    }
}
