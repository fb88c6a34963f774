import io.apicurio.registry.serde.avro.AvroKafkaSerializer;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.apache.avro.Conversions;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;

/** Registers a schema, and prints the bytes of two payments as a Java producer would write them, in base64. */
public class AvroSerializer {
  public static void main(String[] args) throws Exception {
    Schema schema = new Schema.Parser().parse(Files.readString(Path.of(args[1])));
    AvroKafkaSerializer<GenericRecord> serializer = new AvroKafkaSerializer<>();
    serializer.configure(
        Map.of(
            "apicurio.registry.url", args[0],
            "apicurio.registry.auto-register", "true",
            // Confluent's wire format: an id of four bytes, in the value and not in a header.
            "apicurio.registry.as-confluent", "true",
            "apicurio.registry.use-id", "contentId",
            "apicurio.registry.headers.enabled", "false"),
        false);
    for (int n = 0; n < 2; n++) {
      byte[] bytes = serializer.serialize(args[2], payment(schema, n));
      System.out.println(Base64.getEncoder().encodeToString(bytes));
    }
    serializer.close();
  }

  private static GenericRecord payment(Schema schema, int n) {
    GenericRecord payment = new GenericData.Record(schema);
    payment.put("id", "pay_" + n);
    payment.put("serial", 9_007_199_254_740_991L - n);
    Schema amount = schema.getField("amount").schema();
    ByteBuffer decimal =
        new Conversions.DecimalConversion()
            .toBytes(new BigDecimal(n == 0 ? "-1234567890123456.78" : "0.05"), amount, LogicalTypes.fromSchema(amount));
    payment.put("amount", decimal);
    payment.put("at", 1_732_702_530_123_456L + n);
    payment.put("day", 20_054);
    payment.put("state", new GenericData.EnumSymbol(schema.getField("state").schema(), n == 0 ? "OPEN" : "PAID"));
    payment.put("note", n == 0 ? null : "größer 💶");
    payment.put("tags", List.of("a", "b"));
    payment.put("labels", Map.of("k", n));
    Schema node = schema.getField("tree").schema();
    GenericRecord leaf = new GenericData.Record(node);
    leaf.put("n", 2);
    leaf.put("next", null);
    GenericRecord root = new GenericData.Record(node);
    root.put("n", 1);
    root.put("next", leaf);
    payment.put("tree", root);
    return payment;
  }
}
