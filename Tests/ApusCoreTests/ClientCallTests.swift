// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@Suite struct ClientCallTests {
    private let call = ClientCall(
        method: MethodDescriptor(service: "s", name: "m", kind: .unary), target: "t", request: .one(MessageBytes([1])),
        metadata: ["x-a": "1"])

    @Test func `a changed copy leaves the call it was made of alone`() {
        var copy = call
        copy.metadata.add("x-b", "2")
        copy.waitForReady = true
        copy.maximumResponseBytes = 7
        copy.compression = .gzip
        #expect(call.metadata == ["x-a": "1"] && !call.waitForReady)
        #expect(call.maximumResponseBytes == nil && call.compression == nil)
        #expect(copy.metadata["x-a"] == "1" && copy.metadata["x-b"] == "2" && copy.waitForReady)
        #expect(copy.maximumResponseBytes == 7 && copy.compression == .gzip)
        #expect(copy.method == call.method && copy.target == "t")
    }

    @Test func `copies of a changed copy are their own, too`() {
        var first = call
        first.metadata["x-a"] = "2"
        var second = first
        second.metadata["x-a"] = "3"
        #expect([call, first, second].map { $0.metadata["x-a"] } == ["1", "2", "3"])
    }
}
