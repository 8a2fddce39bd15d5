package main
import ("context";"fmt";"os";"time";"portaldb/internal/schema";"runtime/pprof")
func main(){
 f,_:=os.Create("/tmp/cpu.prof"); pprof.StartCPUProfile(f)
 t:=time.Now()
 e,err:=schema.Open(schema.Config{URL:os.Getenv("DATABASE_URL"),FS:os.DirFS(os.Args[1])}); if err!=nil{panic(err)}
 _,err=e.Up(context.Background(),0); if err!=nil{panic(err)}
 fmt.Println("up",time.Since(t))
 pprof.StopCPUProfile()
 h,_:=os.Create("/tmp/heap.prof"); pprof.Lookup("allocs").WriteTo(h,0)
}
