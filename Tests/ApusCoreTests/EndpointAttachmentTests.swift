// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Testing

private final class Tally: Sendable {}
private final class Other: Sendable {}
private final class Numbered: Sendable {
    let number: Int
    init(_ number: Int) { self.number = number }
}

struct EndpointAttachmentTests {
    @Test func `an owner finds what it keeps for an endpoint, and nobody else's`() {
        let handles = Candidates([Endpoint(.memory("a")), Endpoint(.memory("b"))]).handles
        let (one, two) = (EndpointAttachment.Owner(), EndpointAttachment.Owner())
        let first: Tally = handles[0].attachment(of: one) { Tally() }
        let other: Other = handles[0].attachment(of: two) { Other() }
        let elsewhere: Tally = handles[1].attachment(of: one) { Tally() }
        #expect(first === handles[0].attachment(of: one) { Tally() })
        #expect(other === handles[0].attachment(of: two) { Other() })
        #expect(first !== elsewhere)
    }

    @Test func `threads that ask at once get the same`() async {
        for _ in 0..<100 {
            let handle = EndpointHandle(Endpoint(.memory("a")))
            let owners = (0..<4).map { _ in EndpointAttachment.Owner() }
            let found = await withTaskGroup(of: [ObjectIdentifier].self) { group in
                for _ in 0..<8 {
                    group.addTask { owners.map { ObjectIdentifier(handle.attachment(of: $0) { Tally() }) } }
                }
                return await group.reduce(into: Set<[ObjectIdentifier]>()) { $0.insert($1) }
            }
            #expect(found.count == 1)
            #expect(Set(found.first ?? []).count == 4)
        }
    }

    @Test func `what is kept goes with the endpoint`() {
        weak var kept: Tally?
        do {
            let handle = EndpointHandle(Endpoint(.memory("a")))
            kept = handle.attachment(of: EndpointAttachment.Owner()) { Tally() }
            #expect(kept != nil)
        }
        #expect(kept == nil)
    }

    @Test func `the place of an owner that is gone goes to the next, and what was there is released`() {
        let handle = EndpointHandle(Endpoint(.memory("a")))
        let stays = EndpointAttachment.Owner()
        let kept: Tally = handle.attachment(of: stays) { Tally() }
        for _ in 0..<1000 {
            weak var gone: Tally?
            do {
                let owner = EndpointAttachment.Owner()
                gone = handle.attachment(of: owner) { Tally() }
                #expect(gone != nil && gone === handle.attachment(of: owner) { Tally() })
            }
            let next = EndpointAttachment.Owner()
            let other: Other = handle.attachment(of: next) { Other() }
            #expect(gone == nil)
            #expect(other === handle.attachment(of: next) { Other() })
        }
        #expect(handle.attachmentCount <= 3)
        #expect(kept === handle.attachment(of: stays) { Tally() })
    }

    @Test func `owners that come and go on many threads find what is theirs`() async {
        let handle = EndpointHandle(Endpoint(.memory("a")))
        await withTaskGroup(of: Bool.self) { group in
            for thread in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        let owner = EndpointAttachment.Owner()
                        let mine = Numbered(thread)
                        for _ in 0..<3 where handle.attachment(of: owner, make: { mine }) !== mine { return false }
                    }
                    return true
                }
            }
            for await isTheirs in group { #expect(isTheirs) }
        }
        #expect(handle.attachmentCount <= 16)
    }

    @Test func `an endpoint is ejected until all who ejected it readmit it`() {
        let handle = EndpointHandle(Endpoint(.memory("a")))
        handle.eject()
        handle.eject()
        handle.readmit()
        #expect(handle.isEjected)
        handle.readmit()
        #expect(!handle.isEjected)
    }
}
