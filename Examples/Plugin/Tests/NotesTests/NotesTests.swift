// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
import Labels
import Notes
import Testing

struct NotesTests {
    @Test func `messages of two targets, generated while they are built, go over the wire`() throws {
        let note = Note(text: "buy bread", labels: [Label("home")])
        let read = try Note(serialized: note.serializedBytes())
        #expect(read == note && read.has(Label("home")) && !read.has(Label("work")))
    }

    @Test func `a service has its stubs`() {
        #expect(NoteBook.Methods.write.descriptor.path == "/notes.v1.NoteBook/Write")
    }
}
