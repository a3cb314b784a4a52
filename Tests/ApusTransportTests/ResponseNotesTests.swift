// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

@testable import ApusTransport

@Suite struct ResponseNotesTests {
    @Test func `a handler that says nothing leaves nothing to send`() {
        let notes = ResponseNotes()
        let (compression, head, trailers) = (notes.compression, notes.headLeaves(), notes.trailers)
        #expect(compression == nil && head == nil && trailers.isEmpty)
    }

    @Test func `what is said before the head leaves goes with it`() throws {
        let notes = ResponseNotes()
        notes.setInitialMetadata(["x-a": "1"])
        notes.wantHead()
        let (isChosen, compression, left) = (notes.choose(2, minimum: 10), notes.compression, notes.headLeaves())
        #expect(isChosen && compression?.compressor == 2 && compression?.minimum == 10)
        let head = try #require(left)
        #expect(head.metadata == ["x-a": "1"] && head.isWanted && head.compressor == 2)
    }

    @Test func `trailers may be set when the head has left`() {
        let notes = ResponseNotes()
        let head = notes.headLeaves()
        notes.setTrailers(["x-end": "1"])
        let trailers = notes.trailers
        #expect(head == nil && trailers == ["x-end": "1"])
    }

    @Test(arguments: [true, false])
    func `no compressor can be chosen once the head has left`(_ hasSaidSomething: Bool) {
        let notes = ResponseNotes()
        if hasSaidSomething { notes.setInitialMetadata(["x-a": "1"]) }
        _ = notes.headLeaves()
        let (isChosen, compression) = (notes.choose(1, minimum: 0), notes.compression)
        #expect(!isChosen && compression == nil)
    }

    @Test func `a choice can be taken back until something compressed has left`() {
        let notes = ResponseNotes()
        let choices = [notes.choose(1, minimum: 0), notes.choose(nil, minimum: 0)]
        let none = notes.compression
        #expect(choices == [true, true] && none == nil)
        let (isChosen, first) = (notes.choose(1, minimum: 0), notes.compression)
        let isTakenBack = notes.choose(nil, minimum: 0)
        #expect(isChosen && first?.compressor == 1)
        #expect(!isTakenBack, "the first message was compressed")
    }

    @Test func `what is cleared is forgotten`() throws {
        let notes = ResponseNotes()
        notes.setInitialMetadata(["x-a": "1"])
        notes.setTrailers(["x-end": "1"])
        notes.wantHead()
        notes.clear()
        let (left, trailers) = (notes.headLeaves(), notes.trailers)
        let head = try #require(left)
        #expect(head.metadata.isEmpty && !head.isWanted && trailers.isEmpty)
    }
}
