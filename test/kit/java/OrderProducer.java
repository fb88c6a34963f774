import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * An idempotent producer that never gives up: sends each line of standard input, a key, a tab and a value, and prints for
 * each, once all in-sync replicas have it, its number from 0 on, partition, offset, and the time (ms since the epoch):
 * java -cp 'JARS/*' OrderProducer.java BOOTSTRAP TOPIC
 */
public class OrderProducer {
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", args[0]);
    settings.put("client.id", "order-producer");
    settings.put("acks", "all");
    settings.put("enable.idempotence", true);
    settings.put("linger.ms", 0);
    // A broker that does not answer (it may be frozen) is asked again elsewhere after this; 30 s by default.
    settings.put("request.timeout.ms", 5_000);
    settings.put("delivery.timeout.ms", Integer.MAX_VALUE);
    settings.put("max.block.ms", Long.MAX_VALUE);
    settings.put("retry.backoff.max.ms", 100);
    settings.put("reconnect.backoff.max.ms", 100);
    // New partitions get records soon.
    settings.put("metadata.max.age.ms", 1_000);
    settings.put("key.serializer", StringSerializer.class);
    settings.put("value.serializer", StringSerializer.class);
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings)) {
      long next = 0;
      for (String line; (line = lines.readLine()) != null; next++) {
        int tab = line.indexOf('\t');
        long number = next;
        producer.send(new ProducerRecord<>(args[1], line.substring(0, tab), line.substring(tab + 1)), (taken, error) -> {
          long now = System.currentTimeMillis();
          out.println(error == null
              ? number + " " + taken.partition() + " " + taken.offset() + " " + now
              : number + " failed " + error);
        });
      }
    }
  }
}
