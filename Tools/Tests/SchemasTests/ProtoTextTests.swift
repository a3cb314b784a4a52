// SPDX-License-Identifier: Apache-2.0

import Apus
import ParrotSupport
import Schemas
import Testing

struct ProtoTextTests {
    private func text(_ name: String, in schema: Schema) throws -> String {
        schema.protoText(of: try #require(schema[name]))
    }

    @Test func `a message is told with its nested types, oneofs and maps`() throws {
        let expected = """
            message SayReply {
              message Place {
                int64 branch = 1;
              }
              string text = 1;
              int64 number = 2;
              map<string, string> metadata = 3;
              oneof where {
                apus.tools.v1.SayReply.Place place = 4;
                string cage = 5;
              }
              bytes feather = 6;
              repeated double notes = 7;
            }
            """
        #expect(try text("apus.tools.v1.SayReply", in: Fixtures.parrot()) == expected)
    }

    @Test func `optional of proto3 is told as optional`() throws {
        #expect(try text("apus.tools.v1.SayRequest", in: Fixtures.parrot()).contains("  optional int32 times = 2;\n"))
    }

    @Test func `services tell streams and what may be repeated`() throws {
        let lines = try text("apus.tools.v1.Parrot", in: Fixtures.parrot()).split(separator: "\n").map(String.init)
        let types = "(stream apus.tools.v1.SayRequest) returns (stream apus.tools.v1.SayReply);"
        #expect(lines.contains("  rpc Chat\(types)"))
        #expect(lines.contains { $0.contains("rpc Say(") && $0.contains("idempotency_level = NO_SIDE_EFFECTS;") })
    }

    @Test func `comments stand where they stood`() throws {
        let schema = try Schema(proto: ["\(Fixtures.protos)/apus/tool_tests.proto"], imports: [Fixtures.protos])
        let expected = """
            // How loud the parrot is.
            enum Volume {
              // Nobody said.
              VOLUME_UNSPECIFIED = 0;
              VOLUME_QUIET = 1;
              VOLUME_LOUD = 2;
            }
            """
        #expect(try text("apus.tools.v1.Volume", in: schema) == expected)
    }

    @Test func `what is told of proto2 can be compiled again and tells the same`() throws {
        let scratch = try Scratch()
        let head = "syntax = \"proto2\";\npackage a;\n"
        let body = """
            message M {
              enum E {
                option allow_alias = true;
                X = 0;
                Y = 0 [deprecated = true];
              }
              required int32 id = 1;
              optional string name = 2 [default = "none"];
              repeated uint64 ids = 3 [packed = true];
              optional a.M.E e = 4;
              reserved 9;
              reserved 20 to 29;
              reserved "old";
              extensions 100 to max;
            }
            """
        let schema = try Schema(proto: [scratch.write(head + body, to: "m.proto")], imports: [])
        let told = try text("a.M", in: schema)
        #expect(told == body)
        let again = try Schema(proto: [scratch.write(head + told, to: "n.proto")], imports: [])
        #expect(try text("a.M", in: again) == told)
    }

    @Test func `a message without fields is one line`() throws {
        let schema = try Schema(Fixtures.descriptors(of: Health()))
        #expect(try text("grpc.health.v1.HealthListRequest", in: schema) == "message HealthListRequest {}")
    }
}
