// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

struct MetadataTests {
    @Test func `keys are lower case however they are written`() {
        var metadata: Metadata = ["X-Trace": "1"]
        #expect(metadata.entries.map(\.key) == ["x-trace"])
        #expect(metadata["X-TRACE"] == "1")
        metadata["x-Trace"] = "2"
        #expect(metadata.entries.count == 1)
        #expect(metadata["x-trace"] == "2")
    }

    @Test func `a key keeps all its values in order`() {
        var metadata: Metadata = ["a": "1", "b": "x", "a": "2"]
        metadata.add("A", "3")
        #expect(metadata.values(of: "a") == ["1", "2", "3"])
        #expect(metadata["a"] == "1")
        metadata["a"] = "only"
        #expect(metadata.values(of: "a") == ["only"])
        #expect(metadata.entries.map(\.key) == ["b", "a"])
    }

    @Test func `binary and text values do not mix`() {
        var metadata = Metadata()
        metadata.add("k-bin", binary: [0, 255])
        metadata.add("k-bin", "text")
        #expect(metadata[binary: "K-Bin"] == [0, 255])
        #expect(metadata["k-bin"] == "text")
        #expect(metadata.binaryValues(of: "k-bin") == [[0, 255]])
        metadata[binary: "k-bin"] = nil
        #expect(metadata.isEmpty)
    }

    @Test func `removing what is not there changes nothing`() {
        var metadata: Metadata = ["a": "1"]
        metadata.remove("b")
        metadata["c"] = nil
        #expect(metadata == ["a": "1"])
    }

    @Test func `two lists follow each other`() {
        var metadata: Metadata = ["a": "1"]
        metadata.add(contentsOf: ["b": "2", "a": "3"])
        #expect(metadata.description == "[a: 1, b: 2, a: 3]")
        #expect(metadata != ["a": "1", "a": "3", "b": "2"])
    }

    @Test func `binary values show their size only`() {
        var metadata = Metadata()
        metadata.add("secret-bin", binary: [1, 2, 3])
        #expect(metadata.description == "[secret-bin: 3 bytes]")
    }
}
