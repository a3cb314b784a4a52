// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusGenerator

struct NameTests {
    @Test(arguments: [
        ("user_name", "userName"), ("id", "id"), ("HTTP_status", "httpStatus"), ("default", "`default`"),
        ("self", "self_"), ("unknown_fields", "unknownFields_"), ("a_2b", "a2b"), ("_x", "x"), ("URL", "url"),
    ])
    func `a field's name becomes a property's name`(proto: String, swift: String) {
        #expect(SwiftName.property(proto) == swift)
    }
}
