// SPDX-License-Identifier: Apache-2.0

import Apus
import Testing

@testable import ApusCLI

struct InstanceRowTests {
    @Test func `instances are a table, by service and address`() {
        var second = InstanceRow(service: "users", id: "b2", address: "10.0.0.2:1")
        second.metadata = ["zone": "b", "pid": "7"]
        second.age = .seconds(2)
        second.weight = 0.5
        second.state = .draining
        let first = InstanceRow(service: "users", id: "c3", address: "10.0.0.1:1")
        #expect(
            InstanceRow.table([second, first]) == [
                "SERVICE  INSTANCE  ADDRESS     STATE     SEEN        WEIGHT  METADATA",
                "users    c3        10.0.0.1:1  live      -           1",
                "users    b2        10.0.0.2:1  draining  2.00 s ago  0.5     pid=7 zone=b",
            ])
    }

    @Test func `a watch tells who came and who went`() {
        var changes = InstanceChanges()
        func list(_ ports: Int...) -> Result<[Endpoint], RPCError> {
            .success(ports.map { Endpoint(host: "h", port: $0) })
        }
        #expect(changes.lines(list()) == ["nobody is there"])
        #expect(changes.lines(list(2, 1)) == ["+ h:1", "+ h:2"])
        #expect(changes.lines(.failure(RPCError(.unavailable, "no\ndisk")))[0].hasSuffix(#"UNAVAILABLE: no\ndisk"#))
        #expect(changes.lines(list(2, 3)) == ["- h:1", "+ h:3"])
        #expect(changes.lines(list(3, 2)) == [])
    }
}
